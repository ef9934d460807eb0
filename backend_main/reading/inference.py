"""Inference sessions: a neural network, run by OpenVINO or ONNX Runtime, whichever suits this machine.

OpenVINO calculates in bfloat16 if the processor can, which halves the time. If it cannot, both take the same
time, and ONNX Runtime needs less memory (docs/decisions/0050-openvino-with-bfloat16.md).
"""

import logging
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Outputs = Sequence[Floats]
"""Outputs of a model, in its own order."""
Result = TypeVar("Result")

KERNEL_CACHE_SIZE = 1000
"""Compiled kernels that OpenVINO keeps, one for each operation and input shape.

Without a bound, and without padding to a few widths, memory grew to 3 GB in 73 pages. With 100 kernels, each
line takes a quarter longer than with these.
"""
LARGE_BATCH = 6_000_000
"""Numbers in a batch after which ONNX Runtime frees its memory.

An image of 1280 × 1280 pixels has less; one of small print has more.
"""

_log = logging.getLogger("scanrill.reading")


class InferenceSession(ABC):
    """A loaded model with one input."""

    @abstractmethod
    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None:
        """Load a model for `concurrency` calls at a time, on `threads` threads in all."""

    @abstractmethod
    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        """Run the model and return the result of `postprocess`, which must not keep the outputs.

        The next call may reuse their memory.
        """

    @abstractmethod
    def metadata(self, name: str) -> str:
        """Return an entry of the model file's metadata. Raises KeyError."""


class OnnxSession(InferenceSession):
    """A model that ONNX Runtime runs."""

    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads // concurrency)
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # The arena keeps memory from batch to batch: allocating it each time takes a sixth of the detector's
        # time. A memory pattern for each shape would need half as much memory again (docs/decisions/0100).
        options.enable_cpu_mem_arena = True
        options.enable_mem_pattern = False
        # Threads that spin while they wait take a third of the time of a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._shrink_arena: Any = onnxruntime.RunOptions()
        self._shrink_arena.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        run_options = self._shrink_arena if batch.size > LARGE_BATCH else None
        return postprocess(self._session.run(None, {self._input: batch}, run_options))

    def metadata(self, name: str) -> str:
        return str(self._session.get_modelmeta().custom_metadata_map[name])


class OpenVinoSession(InferenceSession):
    """A model that OpenVINO runs."""

    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None:
        openvino = import_openvino()
        core: Any = openvino.Core()
        self._model = core.read_model(str(path))
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": concurrency,
            # Several engine processes would all be pinned to the first core.
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": KERNEL_CACHE_SIZE,
        }
        compiled = core.compile_model(self._model, "CPU", settings)
        self._tensor: Any = openvino.Tensor
        self._free_requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(concurrency):
            self._free_requests.put(compiled.create_infer_request())

    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        request = self._free_requests.get()
        try:
            # `infer(inputs)` would copy the input, and inspect its type each time.
            request.set_input_tensor(self._tensor(batch, shared_memory=True))
            request.infer()
            return postprocess([tensor.data for tensor in request.output_tensors])
        finally:
            self._free_requests.put(request)

    def metadata(self, name: str) -> str:
        return str(self._model.get_rt_info(["framework", name]).astype(str))


def import_onnxruntime() -> Any:
    """Import ONNX Runtime without its telemetry, which stores an identifier of the machine."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which stores an identifier of the machine in the home directory.

    Raises:
        ImportError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None forbids the import
    import openvino

    return openvino


def best_runtime() -> type[InferenceSession]:
    """Return OpenVINO's session if it works and has bfloat16 on this processor, else ONNX Runtime's."""
    try:
        openvino = import_openvino()
    except ImportError:
        return OnnxSession
    try:
        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return OpenVinoSession if "BF16" in capabilities else OnnxSession
    except Exception as error:  # a broken runtime counts as missing
        _log.warning("OpenVINO is installed but does not work: %s", error)
        return OnnxSession
