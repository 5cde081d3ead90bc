"""Checks calls of the package against their signatures: types by beartype, shapes by jaxtyping.

The hook of jaxtyping itself checks the arguments of a call twice, and binds each call to its
signature anew; that took a quarter of the suite. Here only signatures with arrays have a
scope of axes, and each call is checked once.
"""

import ast
import functools
import hashlib
import re
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any
from unittest.mock import patch

from beartype import BeartypeConf, beartype
from jaxtyping import TypeCheckError, jaxtyped

TYPED = beartype(conf=BeartypeConf(violation_type=TypeCheckError))

NAME = "__checked__"
"""Under which name a module finds the decorator."""

TAG = f"checked{hashlib.md5(Path(__file__).read_bytes()).hexdigest()[:8]}"
"""Of the compiled modules: they are neither those of a plain import nor of another version."""


def checked(subject):
    """A function whose calls are checked, or a class whose construction is."""
    if isinstance(subject, type):
        return jaxtyped(subject, typechecker=TYPED)
    for name, hint in subject.__annotations__.items():
        if isinstance(hint, str) and re.match(r"\w*", hint)[0] not in subject.__globals__:
            subject.__annotations__[name] = Any  # of a class to come, or imported for mypy only
    typed = TYPED(subject)
    if not any("jaxtyping" in repr(hint) for hint in subject.__annotations__.values()):
        return typed

    @functools.wraps(subject)
    def within(*args, **kwargs):
        with jaxtyped("context"):
            return typed(*args, **kwargs)

    return within


class _Decorator(ast.NodeTransformer):
    def visit_FunctionDef(self, node):
        node.decorator_list.append(_at(node))
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        node.decorator_list.insert(0, _at(node))  # what @dataclass makes, too
        return self.generic_visit(node)


def _at(node):
    return ast.copy_location(ast.Name(NAME, ast.Load()), node)


class _Loader(SourceFileLoader):
    def get_code(self, fullname):
        where = functools.partial(cache_from_source, optimization=TAG)
        with patch("importlib._bootstrap_external.cache_from_source", where):
            return super().get_code(fullname)

    def source_to_code(self, data, path, *, _optimization=-1):
        tree = _Decorator().visit(ast.parse(data, path))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimization)

    def exec_module(self, module):
        setattr(module, NAME, checked)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def __init__(self, package):
        self.package = package

    def find_spec(self, fullname, path, target=None):
        if fullname != self.package and not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def check(package):
    """Check all of a package that is imported from now on."""
    assert package not in sys.modules
    sys.meta_path.insert(0, _Finder(package))
