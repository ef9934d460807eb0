"""Step 10 - what runs a model: OpenVINO or ONNX Runtime, whichever is the better on this machine.

OpenVINO calculates in bfloat16 where the processor can, which halves the time; where it cannot, the two are
equal, and ONNX Runtime takes less memory (docs/decisions/0050).
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Outputs = Sequence[Floats]
"""In the model's own order."""
Result = TypeVar("Result")

# OpenVINO keeps what it compiled for each operation and shape of input. With nothing padded to steps, and no
# bound, memory grew to 3 GB in 73 pages; with 100 kept, each line takes a quarter longer than with these.
KERNEL_CACHE_SIZE = 1000
# What ONNX Runtime took for a batch of more numbers than this, it gives back: an image of 1280 pixels in
# square is less, one of small print more.
LARGE_BATCH = 6_000_000

_log = logging.getLogger("scanrill.reading")


class InferenceSession(ABC):
    """A loaded model with one input, for `concurrency` calls at once on `threads` threads in all."""

    @abstractmethod
    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None: ...

    @abstractmethod
    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        """What `postprocess` makes of the outputs, whose memory may be the next call's afterwards."""

    @abstractmethod
    def metadata(self, name: str) -> str:
        """What stands in the model file under that name; KeyError when nothing does."""


class OnnxSession(InferenceSession):
    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads // concurrency)
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Memory is kept from batch to batch: to have it from the kernel anew takes a sixth of the detector's
        # time. With a plan of it for each shape it would be half as much again (docs/decisions/0100).
        options.enable_cpu_mem_arena = True
        options.enable_mem_pattern = False
        # Threads that wait for work by spinning take a third of the time of a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._shrink_arena_options: Any = onnxruntime.RunOptions()
        self._shrink_arena_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        how = self._shrink_arena_options if batch.size > LARGE_BATCH else None
        return postprocess(self._session.run(None, {self._input: batch}, how))

    def metadata(self, name: str) -> str:
        return str(self._session.get_modelmeta().custom_metadata_map[name])


class OpenVinoSession(InferenceSession):
    def __init__(self, path: Path, threads: int, concurrency: int = 1) -> None:
        import openvino

        core: Any = openvino.Core()
        self._model = core.read_model(str(path))
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": concurrency,
            # Several readers would all be pinned to the same first core.
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": KERNEL_CACHE_SIZE,
        }
        compiled = core.compile_model(self._model, "CPU", settings)
        # Set by hand: `infer(inputs)` copies them, and looks for what they are each time.
        self._tensor: Any = openvino.Tensor
        self._free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(concurrency):
            self._free.put(compiled.create_infer_request())

    def run(self, batch: Floats, postprocess: Callable[[Outputs], Result]) -> Result:
        request = self._free.get()
        try:
            request.set_input_tensor(self._tensor(batch, shared_memory=True))
            request.infer()
            return postprocess([tensor.data for tensor in request.output_tensors])
        finally:
            self._free.put(request)

    def metadata(self, name: str) -> str:
        return str(self._model.get_rt_info(["framework", name]).astype(str))


def best_runtime() -> type[InferenceSession]:
    return OpenVinoSession if _calculates_in_bfloat16() else OnnxSession


def _calculates_in_bfloat16() -> bool:
    """Whether OpenVINO is here, works, and can use what makes it quicker."""
    try:
        import openvino
    except ImportError:
        return False
    try:
        return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except Exception as error:  # a runtime that is broken here is one that is not there
        _log.warning("OpenVINO is installed, but does not work: %s", error)
        return False
