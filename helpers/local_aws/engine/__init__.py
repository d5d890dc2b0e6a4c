"""Time and work: the one clock, and the one way to do something later or beside, that all of the account asks.

`clock` says what time it is, and `executor` runs what is to be done in the background. There are two forms of both, and
the account is written for either: `threads` with the machine's clock is what a learner has, `loop` does everything in
one thread and can have a clock that is moved by hand.
"""

from . import executor as _executor
from .threads import ThreadExecutor as _ThreadExecutor

_executor.use(_ThreadExecutor())
