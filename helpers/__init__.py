"""The plumbing of the workbook: everything that is needed and not taught.

What a cell imports lies on top of this folder; all else lies in a package named after who needs it. From the top
down; each imports those below it alone:

    teaching       what a teacher hands out, and grades
    workbook       what a lesson's setup cell calls
    lab            JupyterLab and the embedded AWS, started and ended together; the learner's copy; starting over
    timeline       the way of one event
    exercises      checks, verdicts, progress
    authoring      lessons executed in accounts of their own: for authors and tests
    lessons        what a lesson says and builds before it begins
    pictures       the live diagram, shapes, colours
    account        what is in the account, whose it is, how it is deleted
    installing     .venv, and the commands; standard library only
    target         which AWS boto3 speaks to, and the hooks in its requests
    local_aws      the embedded AWS, which knows nothing of the others
    waiting, microservice_x, differences
    private_folders
    settings, errors, filelock, paths

`python3 -m helpers` (the file `__main__`) reads no more than `installing` before there is a `.venv`.
"""

import sys

if "IPython" in sys.modules:  # a kernel, or a shell: its errors are shown in short from now on
    _shell = getattr(sys.modules["IPython"], "get_ipython", lambda: None)()
    if _shell is not None:
        _shell.extension_manager.load_extension("helpers.lessons.kernel")
