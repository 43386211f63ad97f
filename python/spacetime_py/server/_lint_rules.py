"""What the lint looks for: names of Python's library, and what there is instead."""

from __future__ import annotations

ERROR = "error"
WARNING = "warning"

# Libraries that need what a database does not give: by the first part of their names.
LIBRARIES = {
    **dict.fromkeys(
        ["threading", "_thread", "concurrent", "multiprocessing", "queue"],
        ("threads", "a module has one thread: do the work in the reducer, or in scheduled ones"),
    ),
    **dict.fromkeys(
        ["asyncio", "trio", "anyio", "selectors", "select"],
        ("threads", "there is no event loop: reducers are plain functions that run to their end"),
    ),
    **dict.fromkeys(
        ["socket", "ssl", "http", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "urllib3"],
        ("network", "a module reaches no network: let a client do it and call a reducer"),
    ),
    **dict.fromkeys(
        ["subprocess", "signal", "ctypes", "sqlite3", "mmap", "pty", "fcntl", "resource"],
        ("system", "there is no operating system under a module: keep data in tables"),
    ),
}

_CLOCK = "it gives the time of the transaction at best: use ctx.timestamp"
_RANDOM = "it is the same for every instance of the module: use ctx.rng"
_FILES = "there are no files: keep data in tables, or write it into the program"

# Functions, by their full names: rule, severity, remedy.
FUNCTIONS = {
    "time.sleep": ("sleep", ERROR, "a reducer must not wait: insert into a scheduled table"),
    "open": ("files", ERROR, _FILES),
    "io.open": ("files", ERROR, _FILES),
    "os.open": ("files", ERROR, _FILES),
    "os.system": ("system", ERROR, "there is no operating system under a module"),
    "input": ("files", ERROR, "nobody is there to type: take a parameter"),
    "breakpoint": ("debugger", ERROR, "there is no debugger in a database: use log.debug"),
    "urllib.request.urlopen": ("network", ERROR, "a module reaches no network"),
    **dict.fromkeys(
        ["eval", "exec", "compile"],
        ("eval", WARNING, "a module has no compiler, unless [tool.spacetime] has compiler = true"),
    ),
    **dict.fromkeys(
        [
            "time.time",
            "time.time_ns",
            "time.monotonic",
            "time.monotonic_ns",
            "time.perf_counter",
            "time.perf_counter_ns",
            "time.localtime",
            "time.gmtime",
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ],
        ("clock", WARNING, _CLOCK),
    ),
    **dict.fromkeys(
        ["uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"],
        ("random", WARNING, "there is no entropy: use ctx.rng, ctx.new_uuid_v4()"),
    ),
    **dict.fromkeys(
        ["os.environ", "os.getenv"],
        ("environment", WARNING, "it is that of the machine that builds: write it down in a table"),
    ),
}

# Every function of these.
MODULES = {
    "random": ("random", WARNING, _RANDOM),
    "secrets": ("random", WARNING, "there is no entropy in a module: let clients make secrets"),
}
# `random.Random(seed)` is fine: it has a seed.
FINE = {"random.Random"}

MUTABLE = {
    "list",
    "dict",
    "set",
    "bytearray",
    "collections.defaultdict",
    "collections.deque",
    "collections.Counter",
    "collections.OrderedDict",
}
MUTATORS = {
    "append",
    "appendleft",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popleft",
    "popitem",
    "remove",
    "discard",
    "clear",
    "sort",
    "reverse",
}

SECRET_NAMES = ("password", "passwd", "secret", "api_key", "apikey", "private_key", "access_token")
SECRET_STARTS = ("sk-", "sk_live_", "ghp_", "github_pat_", "xoxb-", "AKIA", "-----BEGIN ")

STATE = (
    "module-level state is not rolled back, not shared between instances, and lost when one is "
    "replaced: keep it in a table"
)
IMPORT = (
    "nothing can be imported in a running database but what was imported at the build: "
    'import it at the top, or add it to "include" in [tool.spacetime]'
)
SECRET = "it is in the published file and its memory: keep secrets in a private table"
