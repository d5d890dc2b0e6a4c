"""A classroom on one machine: a system user for each learner, one environment that only root writes, and a copy of the
workbook in each home. README.md beside this file says how to get there; a test of the workbook starts this very file.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

#: Holds `env`, the environment, and `student`, the copy that learners get. Root's; nobody else may write here.
SHARED = Path(os.environ.get("WORKBOOK_SHARED", "/opt/workbook"))
#: The name of the copy in a learner's home.
COPY = "workbook"

c = get_config()  # noqa: F821  JupyterHub defines it
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [str(SHARED / "env" / "bin" / "jupyterhub-singleuser")]
c.Spawner.notebook_dir = f"~/{COPY}"
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # seconds: thirty may come at once


def copy_of(spawner):
    """Return the learner, as the system knows them, and the folder of their workbook."""
    learner = pwd.getpwnam(spawner.user.name)
    return learner, Path(learner.pw_dir) / COPY


def before(spawner):
    """Give a learner their copy, once. What is there is theirs, and never touched again."""
    learner, folder = copy_of(spawner)
    if not folder.exists():
        draft = folder.with_name(f".{COPY}.new")  # a copy that was cut short is no copy
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(SHARED / "student", draft)
        subprocess.run(["chown", "-R", f"{learner.pw_uid}:{learner.pw_gid}", str(draft)], check=True)
        draft.rename(folder)
    # The learner's own helpers, not those of the environment: account, lessons and handler.py are those of the copy.
    spawner.environment = {**spawner.environment, "PYTHONPATH": str(folder)}


def after(spawner):
    """End the learner's embedded AWS with their server: it would hold its memory for hours. The account stays."""
    learner, folder = copy_of(spawner)
    subprocess.run(
        [str(SHARED / "env" / "bin" / "python"), "-m", "helpers.local_aws", "stop"],
        cwd=folder,
        user=learner.pw_uid,
        group=learner.pw_gid,
        extra_groups=[],
        env={"HOME": learner.pw_dir, "PYTHONPATH": str(folder), "PATH": os.defpath},
        timeout=60,
        check=False,
    )


c.Spawner.pre_spawn_hook = before
c.Spawner.post_stop_hook = after
