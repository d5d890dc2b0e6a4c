"""Names of `engine.clock` for those who have not asked it yet."""

from __future__ import annotations

from ..engine import clock

DEFAULT = clock.DEFAULT_SCALE
FACTOR = clock.scale()
read = clock.read_scale
scaled = clock.scaled
