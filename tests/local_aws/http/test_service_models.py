"""What moto would do many times over is done once: a server is sooner ready for its first calls, and is smaller."""

from __future__ import annotations

import subprocess
import sys

from helpers.paths import PROJECT

#: Answers a request of each protocol inside a server, and says how often the costly things were done.
PROBE = """
import os, sys, threading
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import boto3
from helpers.local_aws import home, server

served = server.Server(home.Home(Path(sys.argv[1])), 0)
from botocore.loaders import Loader
from moto.iam.models import IAMBackend
made = []

def counting(owner, name):
    call = getattr(owner, name)
    setattr(owner, name, lambda self, *args, **settings: (made.append(name), call(self, *args, **settings))[1])

counting(IAMBackend, "__init__")
loaders, init = [], Loader.__init__
Loader.__init__ = lambda self, *args, **settings: (loaders.append(self), init(self, *args, **settings))[1]
threading.Thread(target=served._endpoint.serve_forever, args=(0.1,), daemon=True).start()
os.environ.update(served.access().environment())
clients = [boto3.client(name) for name in ("dynamodb", "lambda", "iam", "s3", "sns", "logs", "sts")]
before = len(loaders)
dynamodb, lambda_, iam, s3, sns, logs, sts = clients
dynamodb.list_tables(), lambda_.list_functions(), iam.list_roles(), s3.list_buckets(), sns.list_topics()
logs.describe_log_groups()
assert sts.get_caller_identity()["Account"] == "123456789012"
print(len(made), len(loaders) - before)
os._exit(0)
"""


def test_one_iam_and_one_loader_of_models_serve_all(tmp_path):
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE, encoding="utf-8")
    (tmp_path / "home").mkdir()
    run = subprocess.run(
        [sys.executable, str(probe), str(tmp_path / "home"), str(PROJECT)],
        cwd=PROJECT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    iams, loaders = map(int, run.stdout.split())
    assert iams == 1, "moto would make one for each of AWS's partitions"
    assert loaders <= 1, "each loader looks through all of botocore's folders"
