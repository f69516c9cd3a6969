/** Modules of Python's own, and of pytest: nothing else may have their names where they are looked for first. */

const NAMES =
  "__future__ _io _pytest abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit " +
  "audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code " +
  "codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy " +
  "copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email " +
  "encodings ensurepip enum errno exceptiongroup faulthandler fcntl filecmp fileinput fnmatch fractions " +
  "ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac " +
  "html http hypothesis idlelib imaplib imghdr imp importlib iniconfig inspect io ipaddress itertools " +
  "json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap mock " +
  "modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode " +
  "operator optparse os ossaudiodev packaging pathlib pdb pickle pickletools pipes pkgutil platform " +
  "plistlib pluggy poplib posix posixpath pprint profile pstats pty pwd py py_compile pyclbr pydoc " +
  "pydoc_data pyexpat pytest pytest_asyncio queue quopri random re readline reprlib resource " +
  "rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib " +
  "sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics " +
  "string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib " +
  "tempfile termios textwrap this threading time timeit tkinter token tokenize tomli tomllib trace " +
  "traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv " +
  "warnings wave weakref webbrowser winreg winsound wsgiref xdist xdrlib xml xmlrpc zipapp zipfile " +
  "zipimport zlib zoneinfo";
const KNOWN: ReadonlySet<string> = new Set(NAMES.split(" "));

/** Does the name belong to Python's library or to pytest? */
export function isStandardModule(name: string): boolean {
  return KNOWN.has(name);
}
