"""Starts pytest with a plugin of the harness's. Run with ``python -I``: nothing of the project is loaded before."""
import importlib.util
import os
import sys

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, TOOLS)
# Nothing is left beside these files, which every run reads.
writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
from integrity import Integrity, survivors  # noqa: E402
from record import open_record, take_grant  # noqa: E402

sys.dont_write_bytecode = writes_bytecode
# The project may have modules of the same names.
sys.path.remove(TOOLS)
del sys.modules["integrity"], sys.modules["record"]
_relpath = os.path.relpath
_join = os.path.join


def make_plugin(pytest, write, integrity, folder):
    phases = {}
    errors = {}

    def place(nodeid, config):
        head, bracket, parameters = nodeid.partition("[")
        parts = head.split("::")
        parts[-1] += bracket + parameters
        root = getattr(config, "rootpath", None) or config.rootdir
        return _relpath(_join(str(root), parts[0]), folder), parts[1:]

    def check():
        for label in integrity.changes():
            write("problem", message="%s was replaced while the tests ran" % label)

    class Plugin:
        config = None

        def pytest_configure(self, config):
            self.config = config

        @pytest.hookimpl(trylast=True)
        def pytest_sessionstart(self, session):
            check()
            integrity.renew()

        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_runtest_call(self, item):
            outcome = yield
            errors[item.nodeid] = outcome.excinfo is not None

        def pytest_collectreport(self, report):
            if report.failed:
                file, path = place(report.nodeid, self.config)
                write("test", file=file, path=path, status="failed")

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logreport(self, report):
            outcomes = phases.setdefault(report.nodeid, [])
            outcomes.append((report.when, report.outcome))
            if report.when != "teardown":
                return
            del phases[report.nodeid]
            check()
            kinds = [outcome for _, outcome in outcomes]
            if "failed" in kinds:
                status = "failed"
            elif "skipped" in kinds:
                status = "skipped"
            elif ("call", "passed") in outcomes and errors.pop(report.nodeid, None) is False:
                status = "passed"
            else:
                status = "failed"
            file, path = place(report.nodeid, self.config)
            write("test", file=file, path=path, status=status)

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(self, session):
            check()
            found = survivors(pytest)
            if found == "" and failing_test_passes(pytest, session):
                found = "a test that must fail"
            write("canary", survivors=found)
            write("end")

    return Plugin()


def failing_test_passes(pytest, session):
    """A function that fails goes where test functions go: something there may call none, or turn what it hears."""
    from _pytest import runner

    def fail():
        raise AssertionError("as it must")

    for item in getattr(session, "items", []):
        if type(item) is not pytest.Function:
            continue
        twin = pytest.Function.from_parent(item.parent, name=item.name, callobj=fail)
        twin.funcargs = {}
        call = runner.CallInfo.from_call(lambda: twin.ihook.pytest_pyfunc_call(pyfuncitem=twin), "call")
        if call.excinfo is None:
            return True
        return twin.ihook.pytest_runtest_makereport(item=twin, call=call).outcome != "failed"
    return False


def main():
    grant = take_grant(int(os.environ.pop("NIGHTSHIFT_GRANT")))
    options = grant["options"]
    write = open_record(grant)
    write("begin", runner="pytest")
    import pytest
    import _pytest.unittest  # noqa: F401
    import _pytest.skipping  # noqa: F401

    folder = os.getcwd()
    plugin = make_plugin(pytest, write, Integrity(folder), folder)
    arguments = list(options["words"])
    # Results of other processes would have to be believed.
    if importlib.util.find_spec("xdist") is not None:
        arguments += ["-n0"]
    paths = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:0] = ([folder] if options["hasFolder"] else []) + [_join(folder, each) for each in paths]
    sys.argv = ["pytest"] + arguments
    return pytest.main(arguments, plugins=[plugin])


if __name__ == "__main__":
    sys.exit(main())
