"""What a package.json says, in the format of mip: which files, from where, with which hash, and what else it needs.

Format: MicroPython documentation, reference/packages:
    {"version": "1.0", "urls": [[path, address], ...], "hashes": [[path, hash], ...], "deps": [[address, version], ...]}
address: http[s]://..., github:owner/repository/path, gitlab:..., in `urls` also relative to the package.json; in
`deps` also a name in the index that the package came from. hash: the first digits of the SHA-256 in hex, for a path
of `urls` what the file must have; else the file lies in the index as /file/<its first two digits>/<hash>.
"""

_HOSTS = (                     # beginning of an address, and where it leads: owner, repository, branch, path
    ("github:", "https://raw.githubusercontent.com/{}/{}/{}/{}"),
    ("gitlab:", "https://gitlab.com/{}/{}/-/raw/{}/{}"),
)
_SCHEMES = ("http://", "https://", "github:", "gitlab:")
_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789_-."
_MOST_CHARS = 64               # of a path
_FEWEST_DIGITS = 8             # of a hash: what the public index has
MODULES, LIB = "/modules/", "/lib/"


class PackageError(Exception):
    """Raised for a package that cannot be installed or removed; says why, in one line whatever the package holds."""

    def __init__(self, text):
        super().__init__(_one_line(text))


def is_address(text):
    return text.startswith(_SCHEMES)


def manifest_address(text):
    """Address of the package.json that somebody means, or of a single file."""
    if text.endswith((".json", ".py", ".mpy")):
        return text
    return text.rstrip("/") + "/package.json"


def url(address, version=None):
    """http[s] URL of an address. version: a branch or tag for github: and gitlab:, None: the default one."""
    if [c for c in address + (version or "") if c <= " "]:
        raise PackageError("an address has no blanks, got {}".format(address))
    for beginning, form in _HOSTS:
        if address.startswith(beginning):
            parts = address[len(beginning):].split("/")
            if len(parts) < 3 or not all(parts):
                raise PackageError("an address is {}owner/repository/path, got {}".format(beginning, address))
            return form.format(parts[0], parts[1], version or "HEAD", "/".join(parts[2:]))
    return address


def name(address):
    """What a package is called: its folder, the file when there is none. Raises PackageError."""
    parts = address.partition(":")[2].strip("/").split("/")
    file = parts.pop()
    found = file.rpartition(".")[0]
    is_in_index = len(parts) > 3 and parts[-3] == "package"       # .../package/6/<name>/<version>.json
    if is_in_index or file == "package.json":
        found = parts[-1] if len(parts) > 1 else ""
    if not _is_word(found):
        raise PackageError("a package has a name: .../<name>/package.json, got {}".format(address))
    return found


def dependency(address, version, parent):
    """Address of what a package needs. parent: URL of that package."""
    if is_address(address):
        return manifest_address(address)
    index, mark, rest = parent.partition("/package/")
    if not mark:
        raise PackageError("it needs {}, and does not say from where".format(address))
    return "{}/package/{}/{}/{}.json".format(index, rest.partition("/")[0], address, version or "latest")


def files(manifest, parent, version=None):
    """[(path on the board, URL, hash or None), ...]. parent: URL of the package.json. Raises PackageError."""
    hashes = dict(_pairs(manifest, "hashes"))
    found, base = [], parent.rpartition("/")[0]
    for path, address in _pairs(manifest, "urls"):
        if not is_address(address):
            address = base + "/" + (address[2:] if address.startswith("./") else address)
        found.append((target(path), url(address, version), _hash(hashes.pop(path, None))))
    index, mark, _ = parent.partition("/package/")
    for path, digits in hashes.items():
        if not mark:
            raise PackageError("it has a hash of {}, and no url".format(path))
        found.append((target(path), "{}/file/{}/{}".format(index, digits[:2], digits), _hash(digits)))
    if not found:
        raise PackageError("there is no file in it")
    return found


def dependencies(manifest):
    """[(address, version), ...]"""
    return _pairs(manifest, "deps")


def version(manifest):
    return _one_line(str(manifest.get("version", "")))[:_MOST_CHARS]


def target(path):
    """Where a file goes: load modules to /modules, all else to /lib. Raises PackageError for a path that leads out."""
    parts = path.split("/")
    if not all(_is_word(part) for part in parts) or len(path) > _MOST_CHARS or path.endswith(".new"):
        raise PackageError("a path is a/b.py, at most {} characters, got {}".format(_MOST_CHARS, path[:_MOST_CHARS]))
    return (MODULES if len(parts) == 1 and path.startswith("LM_") else LIB) + path


def imported_as(path):
    """Name under which a file of a package is imported; None when it is no code."""
    stem, _, ending = path.rpartition(".")
    if ending not in ("py", "mpy"):
        return None
    for folder in (MODULES, LIB):
        if stem.startswith(folder):
            stem = stem[len(folder):]
    return (stem[:-9] if stem.endswith("/__init__") else stem).replace("/", ".")


def _pairs(manifest, key):
    rows = manifest.get(key, [])
    if not isinstance(rows, list) or not all(_is_pair(row) for row in rows):
        raise PackageError("{} is a list of pairs of texts".format(key))
    return rows


def _is_pair(row):
    return isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], str)


def _one_line(text):
    return "".join([c if c >= " " else "?" for c in text])


def _hash(digits):
    if digits is None:
        return None
    if not _FEWEST_DIGITS <= len(digits) <= 64 or digits.strip("0123456789abcdef"):
        raise PackageError("a hash is {} to 64 digits of a SHA-256, got {}".format(_FEWEST_DIGITS, digits[:64]))
    return digits


def _is_word(text):
    return bool(text) and text[0] != "." and not text.lower().strip(_SIGNS)
