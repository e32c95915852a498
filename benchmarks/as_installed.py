"""`chengtu` as on a machine without the developers' packages: pyogrio would import their pandas, for a second."""

import sys
from collections.abc import Sequence

_DEVELOPERS = {"geopandas", "pandas"}


class _Hidden:
    """An import hook that knows these packages as not installed."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name.partition(".")[0] in _DEVELOPERS:
            raise ModuleNotFoundError(name, name=name)


sys.meta_path.insert(0, _Hidden())

if __name__ == "__main__":
    from server.cli import main

    main()
