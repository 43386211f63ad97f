"""The runtime's own Python, frozen into it: where the program's modules come from.

The packer sends commands: fields of bytes, each behind its length, the first one a name.
"""

import marshal
import sys
from _frozen_importlib import ModuleSpec

# Of each module that can be imported: source or bytecode, whether it is a package, its path, and
# for a source the level at which it is compiled: 2 is without assertions and docstrings.
modules = {}
# Set when the program is complete: imports of anything else are explained.
sealed = False


class Loader:
    """Finds and runs the modules that the packer sent."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if sealed:
            raise ModuleNotFoundError(
                f"{name} is not in this database module: what is imported inside of a function "
                f"has to be imported at the top of a file too, or listed in `include` under "
                f"[tool.spacetime]",
                name=name,
            )
        if name not in modules:
            return None
        _, is_package, path, _ = modules[name]
        spec = ModuleSpec(name, Loader, origin=path, is_package=is_package)
        spec.has_location = True
        return spec

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(code_of(module.__name__), module.__dict__)


sys.meta_path.append(Loader)


def code_of(name):
    data, _, path, level = modules[name]
    if isinstance(data, str):
        return compile(data, path, "exec", dont_inherit=True, optimize=level)
    return marshal.loads(data)


def add(*fields):
    """Modules, four fields each: name, path, letters, content.

    Letters: `p` a package, `c` bytecode, `s` stripped when it is compiled.
    """
    for name, path, kind, content in zip(*[iter(fields)] * 4, strict=True):
        data = content if b"c" in kind else content.decode()
        level = 2 if b"s" in kind else 0
        modules[name.decode()] = data, b"p" in kind, path.decode(), level
    return []


def run(*names):
    """Imports modules in this order; gives the problems that the first one's `check` finds."""
    from importlib import import_module

    try:
        imported = [import_module(name.decode()) for name in names]
    except BaseException as error:
        return failure(error)
    return [b"ok", *(str(problem).encode() for problem in imported[0].check())]


def failure(error):
    """An exception as fields: its type, its text, then file, line and function of each frame."""
    text = str(error)
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames += [code.co_filename, str(trace.tb_lineno), code.co_name]
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        text = error.msg
        if error.text:
            text += f"\n    {error.text.strip()}"
        frames += [error.filename, str(error.lineno or 0), ""]
    fields = ["failed", type(error).__name__, text, *frames]
    return [field.encode(errors="backslashreplace") for field in fields]


def used():
    """Name and bytecode of each module that was imported, in the order of the imports."""
    fields = []
    for name, module in list(sys.modules.items()):
        if getattr(module, "__loader__", None) is Loader:
            fields += [name.encode(), marshal.dumps(code_of(name))]
    return fields


def loaded():
    """Names of all modules that were imported, built-in ones too."""
    return [name.encode() for name in sys.modules]


def seal():
    """Forget what was only needed to get here, and keep the rest out of garbage collections."""
    global sealed
    import gc

    modules.clear()
    sealed = True
    sys.path_importer_cache.clear()
    gc.collect()
    gc.freeze()
    return []


COMMANDS = {b"add": add, b"run": run, b"used": used, b"loaded": loaded, b"seal": seal}


def command(data):
    """One command's answer, both as bytes."""
    fields, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        fields.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    answer = COMMANDS[fields[0]](*fields[1:])
    return b"".join([len(field).to_bytes(4, "little") + field for field in answer])
