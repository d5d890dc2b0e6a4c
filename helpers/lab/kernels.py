"""Have Jupyter start Python kernels that import nothing from the notebook's folder before a cell runs.

JupyterLab starts a kernel when a notebook is opened, in the notebook's folder, and Python looks there first for
whatever the kernel imports: a file importlib.py beside a hand-in would run when that is opened. With -P
(https://docs.python.org/3/using/cmdline.html#cmdoption-P) it does not look there. `helpers.lessons.kernel` has it look
there again, in IPython's own place, when the first cell runs.

`python3 -m helpers lab` names this class to Jupyter's server.
"""

from __future__ import annotations

import sys

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

#: How a Python kernel is started, and how it is here. The launcher takes the folder out of sys.path by itself, and with
#: it one that PYTHONPATH names; with -P there is nothing to take out.
_LAUNCHER, _SAFELY = ["-m", "ipykernel_launcher"], ["-P", "-m", "ipykernel"]
#: What stands for the Python that runs the server, which has -P; another one may be too old for it.
_OWN = {"python", "python3", f"python3.{sys.version_info[1]}", sys.executable}


class KernelSpecs(KernelSpecManager):
    """Jupyter's own, but for that option of kernels of this Python."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return a kernel's specification. Raises Jupyter's NoSuchKernel."""
        spec: KernelSpec = super().get_kernel_spec(kernel_name)
        at = next((at for at in range(len(spec.argv)) if spec.argv[at : at + 2] == _LAUNCHER), 0)
        if at and spec.argv[0] in _OWN:
            spec.argv = [*spec.argv[:at], *_SAFELY, *spec.argv[at + len(_LAUNCHER) :]]
        return spec
