"""Check the exercises of the lessons: `check` an answer, `reveal` a solution, see `progress`, make a `certificate`.

An exercise has one id everywhere, such as "03-1" for the first of lesson 3: in the lesson's cell, here in
`lesson_03.py`, in `notebooks/solutions/ex_03_1.py` and in the tests.
"""

from helpers.exercises.certificates import certificate
from helpers.exercises.overview import progress
from helpers.exercises.verdicts import check, reveal, verdict

__all__ = ["certificate", "check", "progress", "reveal", "verdict"]
