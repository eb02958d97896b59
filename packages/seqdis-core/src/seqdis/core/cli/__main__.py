"""``python -m seqdis.core.cli``, which is also what ``accelerate launch -m`` starts."""

from __future__ import annotations

from seqdis.core.cli import main

if __name__ == "__main__":
    main()
