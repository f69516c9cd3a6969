"""Is what decides whether a test passes still what it was before the project's code was loaded?"""
import builtins
import os
import sys
import types
import unittest

MODULES = [
    "pytest",
    "pluggy._callers",
    "pluggy._hooks",
    "pluggy._manager",
    "pluggy._result",
    "unittest.case",
    "_pytest.assertion",
    "_pytest.assertion.rewrite",
    "_pytest.assertion.util",
    "_pytest.main",
    "_pytest.outcomes",
    "_pytest.python",
    "_pytest.python_api",
    "_pytest.raises",
    "_pytest.reports",
    "_pytest.runner",
    "_pytest.skipping",
    "_pytest.unittest",
]
BUILTINS = ["AssertionError", "BaseException", "Exception", "all", "any", "bool", "isinstance", "issubclass", "len", "type"]

_FunctionType = types.FunctionType
_isfile = os.path.isfile
_realpath = os.path.realpath
_getattr = getattr
_sys_modules = sys.modules


def _functions(owner, prefix):
    for name, value in list(vars(owner).items()):
        inner = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if isinstance(inner, _FunctionType):
            yield owner, name, value, inner, "%s.%s" % (prefix, name)
        elif isinstance(value, type) and isinstance(owner, types.ModuleType) and value.__module__ == owner.__name__:
            yield owner, name, value, None, "%s.%s" % (prefix, name)
            for each in _functions(value, "%s.%s" % (prefix, name)):
                yield each


class Integrity:
    """Compares functions, classes and the code of functions by identity."""

    def __init__(self, folder):
        self._folder = _realpath(folder) + os.sep
        self._kept = []
        self._builtins = [(name, _getattr(builtins, name)) for name in BUILTINS]
        self.renew()

    def renew(self):
        kept = []
        for name in MODULES:
            module = _sys_modules.get(name)
            if module is None:
                continue
            for owner, attribute, value, function, label in _functions(module, name):
                kept.append((owner, attribute, value, function, function and function.__code__, label))
        self._kept = kept

    def changes(self):
        """Names of what was replaced by code of the project. Plugins that are installed may replace things."""
        found = []
        for name, value in self._builtins:
            if _getattr(builtins, name, None) is not value:
                found.append("builtins.%s" % name)
        for owner, attribute, value, function, code, label in self._kept:
            now = vars(owner).get(attribute)
            if now is value and (function is None or function.__code__ is code):
                continue
            inner = _getattr(now, "__func__", now)
            if not self._is_installed(_getattr(inner, "__code__", None)):
                found.append(label)
        return found

    def _is_installed(self, code):
        path = _getattr(code, "co_filename", "")
        if not path or not _isfile(path):
            return False
        real = _realpath(path)
        return not real.startswith(self._folder) or "site-packages" in real


def survivors(pytest):
    """Assertions that must fail and did not, in words, made through what tests see."""
    from _pytest.assertion import rewrite

    case = unittest.TestCase()

    def rewritten():
        import ast

        tree = ast.parse("assert left == right")
        rewrite.rewrite_asserts(tree, b"assert left == right")
        exec(compile(tree, "<nightshift>", "exec"), {"left": 1, "right": 2})

    def plain():
        assert [] == [1]

    def raises():
        with pytest.raises(ValueError):
            pass

    attempts = [
        ("a rewritten assert", rewritten),
        ("a plain assert", plain),
        ("pytest.raises", raises),
        ("pytest.fail", lambda: pytest.fail("as it must")),
        ("assertEqual", lambda: case.assertEqual(1, 2)),
        ("assertNotEqual", lambda: case.assertNotEqual(1, 1)),
        ("assertTrue", lambda: case.assertTrue(False)),
        ("assertFalse", lambda: case.assertFalse(True)),
        ("assertIs", lambda: case.assertIs(1, 2)),
        ("assertIsNone", lambda: case.assertIsNone(1)),
        ("assertIn", lambda: case.assertIn(1, [])),
        ("assertRaises", lambda: case.assertRaises(ValueError, lambda: None)),
    ]
    if 1 == pytest.approx(2):
        return "pytest.approx"
    found = []
    for name, attempt in attempts:
        try:
            attempt()
        except BaseException:
            continue
        found.append(name)
    return "; ".join(found)
