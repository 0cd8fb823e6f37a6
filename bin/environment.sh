# shellcheck shell=bash
# Sourced by bin/verbale and bin/test: gives the checkout its own .venv with the pinned packages.
# It expects `root`, the checkout's absolute path, and offers
#
#   ready core|app|dev       builds .venv where needed: `core` for all that works on files, `app` with brokers, HTTP
#                            and PostgreSQL, `dev` with the test tools too
#   $python                  the interpreter in .venv
#   pip_into PYTHON ARG...   pip, working on the environment of that interpreter
#
# It speaks on stderr only: stdout belongs to the program that follows.

venv=$root/.venv
python=$venv/bin/python
log=$venv/setup.log
unset PYTHONPATH PYTHONHOME # the user's other projects have no say here

say() { printf 'verbale: %s\n' "$@" >&2; }
fail() {
  say "$@"
  exit 1
}

# Prints the real file of an interpreter that runs and is new enough. It has to be run to know: a pyenv shim can exist
# and lead nowhere. The real file, so that when `python3` moves on to 3.14, a .venv made for 3.13 is seen to dangle.
interpreter_of() {
  "$1" -I -c '
import os, sys
if sys.version_info < (3, 11):
    sys.exit(1)
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))' 2>/dev/null
}

# Sets `base`, the interpreter to build on, and `found`, the name that led to it.
find_python() {
  if [[ -n ${VERBALE_PYTHON:-} ]]; then
    found=$VERBALE_PYTHON
    base=$(interpreter_of "$found") || fail \
      "VERBALE_PYTHON=$VERBALE_PYTHON does not run as Python 3.11 or newer." \
      "Correct it, or unset it to have one looked for on PATH."
    return
  fi
  while IFS= read -r found; do # every place on PATH: behind a dead shim there may be a live Python
    if base=$(interpreter_of "$found" </dev/null); then return; fi
  done < <(type -aP python3 python3.11 python3.12 python3.13 python3.14 python)
  fail "needs Python 3.11 or newer, and found none that runs on PATH." \
    "Install one, or name it: VERBALE_PYTHON=/path/to/python3 $0"
}

# What a finished .venv was built from. The pins themselves, not a hash, which would need a tool; not the version of
# the interpreter found on PATH, which differs from shell to shell and would have us build again and again.
sources_of() {
  printf 'checkout %s\nmachine %s\n%s\n' "$root" "$(uname -sm)" "$(<"$root/requirements.txt")"
  if [[ $1 != core ]]; then printf '%s\n' "$(<"$root/requirements-app.txt")"; fi
  if [[ $1 == dev ]]; then printf '%s\n' "$(<"$root/requirements-dev.txt")"; fi
}

pins_of() {
  case $1 in
    core) echo requirements.txt ;;
    *) echo "requirements-$1.txt" ;;
  esac
}

up_to_date() {
  [[ -x $python && -f $venv/$1.stamp && $(<"$venv/$1.stamp") == "$(sources_of "$1")" ]] || return 1
  # An interpreter asked for by name is the one to use; otherwise the one .venv was built on serves.
  [[ -z ${VERBALE_PYTHON:-} ]] || { find_python && [[ $python -ef $base ]]; }
}

ready() {
  if up_to_date "$1"; then return; fi
  find_python

  # flock(1) is not everywhere, Python's is. pip inherits descriptor 9: if we are killed, the next run waits for the
  # orphan rather than race it.
  exec 9>>"$root/.venv.lock"
  "$base" -I -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("verbale: waiting for another run that is setting up .venv", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)'
  if ! up_to_date "$1"; then build "$1"; fi
  exec 9>&-
}

# A stamp is written last, so that whatever was interrupted is built again from nothing. What is only added to stays as
# complete as it was: where the rest cannot be had now, what is there goes on working.
build() {
  local level=$1 what start=$SECONDS
  case $level in
    core) what="the pinned packages" ;;
    app) what="what brokers, HTTP and PostgreSQL need" ;;
    dev) what="the pinned packages and the test tools" ;;
  esac

  # A .venv that has less than is asked for is added to. One that has it, but of other pins, is made anew.
  if up_to_date core && [[ ! -e $venv/$level.stamp && ! -e $venv/adding ]]; then
    : >"$venv/adding" # left there by who is killed: half a package may be left too
  else
    remove_venv
    create_venv
  fi

  say "installing $what"
  # The pins are complete: nothing is left to resolve. Python compiles what a command loads when it first does.
  pip_into "$python" install --no-deps --no-compile -r "$root/$(pins_of "$level")" >>"$log" 2>&1 || {
    rm -f "$venv/adding" # pip takes back what it had begun
    { grep '^ERROR' "$log" || true; } | tail -n 3 >&2
    fail "could not install $what; the whole story is in $log" "Run the same command again to retry."
  }

  rm -f "$venv/adding"
  write_stamp core
  if [[ $level != core ]]; then write_stamp app; fi
  if [[ $level == dev ]]; then write_stamp dev; fi
  say "ready after $((SECONDS - start)) s"
}

write_stamp() {
  sources_of "$1" >"$venv/$1.stamp.new"
  mv "$venv/$1.stamp.new" "$venv/$1.stamp"
}

remove_venv() {
  rm -rf "$venv.old"
  if [[ ! -e $venv ]]; then return; fi
  # Ours has our log in it (or is still empty); anything else is not ours to delete.
  [[ -e $log ]] || rmdir "$venv" 2>/dev/null || fail \
    "$venv was not made by this program, which needs the place." \
    "Move it away and run the same command again."
  if [[ -e $venv ]]; then mv "$venv" "$venv.old"; fi # in one step: half a .venv would not be known as ours
  rm -rf "$venv.old"
}

create_venv() {
  say "setting up .venv with $("$base" -I --version), once"
  mkdir "$venv"
  # A pip of its own takes .venv longer to get than all that Verbale runs on: the interpreter's serves, where it has one.
  if ! has_pip "$found"; then
    "$base" -I -m venv "$venv" >>"$log" 2>&1 && return
  fi
  "$base" -I -m venv --without-pip "$venv" >>"$log" 2>&1 || fail \
    "$base cannot create a virtual environment; the whole story is in $log" \
    "Install its venv module (on Debian: python3-venv), or name another Python in VERBALE_PYTHON."
  has_pip "$found" || fail \
    "$base comes without pip: neither ensurepip nor a pip of its own." \
    "Install either (on Debian: python3-venv), or name another Python in VERBALE_PYTHON."
}

# Whether an interpreter has a pip that can work on another's environment (22.3).
has_pip() {
  "$1" -P -c '
import sys
import pip
from importlib.metadata import version
sys.exit(tuple(map(int, version("pip").split(".")[:2])) < (22, 3))' >>"$log" 2>&1
}

pip_into() {
  local target=$1 pip=$python
  shift
  # The user's settings say where packages come from; where they go is ours to say.
  local -x PIP_USER=0 PIP_TARGET='' PIP_PREFIX='' PIP_ROOT='' PIP_REQUIRE_VIRTUALENV=''
  local -x PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off
  # Without a home to write to, pip would leave its cache in odd places.
  [[ -d ${HOME:-} && -w $HOME ]] || local -x PIP_NO_CACHE_DIR=1
  if ! has_pip "$python"; then
    find_python
    pip=$found
    if ! has_pip "$found"; then # it had one when .venv was made
      "$python" -I -m ensurepip >>"$log" 2>&1 || return
      pip=$python
    fi
  fi
  "$pip" -P -m pip --python "$target" "$@"
}
