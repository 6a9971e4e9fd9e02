"""The name under which some kernels know `inline_jit`."""

from twin.kernels._jit import inline_jit as inline

__all__ = ["inline"]
