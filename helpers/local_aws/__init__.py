"""An AWS account in a process of its own, on this machine: moto's services, and what they lack made real.

`lifecycle` starts, finds and stops it; everything else runs inside the process. It knows nothing of
notebooks.
"""
