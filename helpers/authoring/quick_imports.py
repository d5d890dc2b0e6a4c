"""Spare a process about two seconds, if imported before anything else (pytest loads it as its first plugin).

jsonschema, which nbformat and JupyterLab use, can check internationalised web addresses when rfc3987_syntax is there,
and builds a whole grammar for that at import. No notebook format has such addresses; so this says that the package is
not there, which jsonschema is made for.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: the import system's "not there"
