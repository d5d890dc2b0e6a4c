"""Run JupyterLab and the embedded AWS together, with the settings of both."""
