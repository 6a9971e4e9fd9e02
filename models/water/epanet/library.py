"""Load the EPANET library that the owa-epanet wheel brings, without its Python layer.

Called through ctypes the library frees Python's lock while it works; the wheel's
own layer does not (two threads: efficiency 0.98 against 0.46).
"""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import TwinError
from twin.models.water.epanet.errors import EpanetError

NODE_BASEDEMAND, NODE_EMITTER, NODE_TANKLEVEL, NODE_DEMAND, NODE_HEAD, NODE_DEMANDFLOW = 1, 3, 8, 9, 10, 31
LINK_INITSTATUS, LINK_INITSETTING, LINK_FLOW, LINK_STATUS, LINK_SETTING = 4, 5, 8, 11, 12
CHECKED_PIPE, PLAIN_PIPE = 0, 1
ACCURACY, FLOW_CHANGE = 1, 6
ITERATIONS, RELATIVE_ERROR, MAX_HEAD_ERROR = 0, 1, 2
INIT_FLOWS, KEEP_FLOWS = 10, 0
VERSION = 20300

if TYPE_CHECKING:
    from twin.kernels.water_inputs import Toolkit

_NAMES = ("libepanet2.so", "libepanet2.dylib", "epanet2.dll")


@cache
def library() -> Any:
    """Return the loaded library; raises TwinError when the wheel is missing or too old."""
    specification = importlib.util.find_spec("epanet")
    folders = list(specification.submodule_search_locations or ()) if specification else []
    found = [path for folder in folders for name in _NAMES if (path := Path(folder) / name).is_file()]
    if not found:
        raise TwinError("the water model needs EPANET: install the package owa-epanet (2.3 or later)")
    loaded = ctypes.CDLL(str(found[0]))
    version = ctypes.c_int()
    loaded.EN_getversion(ctypes.byref(version))
    if version.value < VERSION:
        raise TwinError(f"EPANET {version.value} is too old: install owa-epanet 2.3 or later")
    _declare(loaded)
    return loaded


def _declare(loaded: Any) -> None:
    """State argument types once, so that calls convert nothing."""
    handle, whole, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_double
    array = ctypes.c_void_p
    types = {
        "EN_open": (handle, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p),
        "EN_close": (handle,),
        "EN_deleteproject": (handle,),
        "EN_openH": (handle,),
        "EN_closeH": (handle,),
        "EN_setlinktype": (handle, ctypes.POINTER(whole), whole, whole),
        "EN_initH": (handle, whole),
        "EN_runH": (handle, ctypes.POINTER(ctypes.c_long)),
        "EN_nextH": (handle, ctypes.POINTER(ctypes.c_long)),
        "EN_getnodevalues": (handle, whole, array),
        "EN_getlinkvalues": (handle, whole, array),
        "EN_setlinkvalue": (handle, whole, whole, real),
        "EN_setnodevalue": (handle, whole, whole, real),
        "EN_setreport": (handle, ctypes.c_char_p),
        "EN_setoption": (handle, whole, real),
        "EN_getstatistic": (handle, whole, ctypes.POINTER(real)),
    }
    for name, arguments in types.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = arguments, whole


def new_project() -> int:
    """Return the handle of a new, empty project."""
    handle = ctypes.c_void_p()
    code = library().EN_createproject(ctypes.byref(handle))
    if code or handle.value is None:
        raise EpanetError(code or 101, "a new project")
    return handle.value


def toolkit(handle: int) -> Toolkit:
    """Return where compiled code finds a project and what to do with it."""
    from twin.kernels.foreign import address_of
    from twin.kernels.water_inputs import Toolkit

    loaded = library()
    names = ("setnodevalue", "setlinkvalue", "initH", "runH", "getnodevalues", "getlinkvalues", "getstatistic")
    return Toolkit(handle, *(address_of(getattr(loaded, f"EN_{name}")) for name in names))
