"""A strict server over real HTTP, which answers as the fake engine would, and fails when it is told to."""

import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ponder.models.engine import Effort, Prompt, Turn
from ponder.testing import FakeEngine

DIM = 8
FIELDS = {
    "/chat/completions": {
        "model",
        "messages",
        "max_tokens",
        "temperature",
        "logprobs",
        "top_logprobs",
        "continue_final_message",
        "add_generation_prompt",
    },
    "/completions": {"model", "prompt", "max_tokens", "echo", "logprobs"},
    "/decisions": {"model", "input", "questions"},
    "/systemone": {"model", "state", "questions", "assets"},
    "/embeddings": {
        *("model", "input", "messages", "encoding_format"),
        *("continue_final_message", "add_generation_prompt"),
    },
    "/rerank": {"model", "query", "documents", "top_n"},
    "/score": {"model", "text_1", "text_2"},
}


class Stub:
    """What the server does, and what it saw.

    Attributes:
        has: Paths that it serves.
        faults: For each request, the next thing to do instead of answering: a status, "slow", "cut",
            "drip", "garbage", "list", or a function of the body. None answers.
        seen: (path, body, headers) of each request.
    """

    def __init__(self):
        self.has = set(FIELDS)
        self.faults, self.seen, self.retry_after = [], [], None
        self.logprobs, self.busy, self.most = True, 0, 0
        self.key, self.lock, self.fails = "", threading.Lock(), lambda body: False
        self.engine = FakeEngine(knowledge={"cello": "instrument"})

    def answer(self, path, body):
        return getattr(self, path.strip("/").replace("/", "_"))(body)

    def chat_completions(self, body):
        prompt = told(body["messages"])
        read = self.engine.prices([prompt])[0]
        if body.get("logprobs"):
            if not self.logprobs:
                return 400, {"error": {"message": "logprobs are not supported"}}
            yes, no = self.engine.answer([prompt], ["yes", "no"])[0].values
            top = [{"token": "yes", "logprob": yes}, {"token": "no", "logprob": no}]
            top += [{"token": f"w{n}", "logprob": -9.0} for n in range(body["top_logprobs"] - 2)]
            content = [{**max(top, key=lambda each: each["logprob"]), "top_logprobs": top}]
            return 200, {
                "choices": [{"logprobs": {"content": content}, "message": {"content": "yes"}}],
                "usage": {"prompt_tokens": read, "completion_tokens": 1},
            }
        if body["max_tokens"] == 4:
            yes, no = self.engine.answer([prompt], ["yes", "no"])[0].values
            return 200, chat("Yes." if yes > no else "No.", read, 2)
        [written] = self.engine.write([prompt], Effort(answer=body["max_tokens"]))
        finish = "length" if written.truncated else "stop"
        return 200, chat(written.text, read, written.usage.written, finish)

    def completions(self, body):
        words = body["prompt"].split(" ")
        offsets = [len(" ".join(words[:n])) + (n > 0) for n in range(len(words))]
        values = [None, *(-0.1 * (len(word) + 1) for word in words[1:])]
        logprobs = {"text_offset": [*offsets, len(body["prompt"])], "token_logprobs": [*values, -1.0]}
        return 200, {"choices": [{"logprobs": logprobs}], "usage": {"prompt_tokens": len(words)}}

    def decisions(self, body):
        if any(message["role"] != "user" for message in body["input"]):
            return 400, {"error": {"message": "Invalid value: only role 'user' is supported"}}
        prompt = told(body["input"])
        [question] = body["questions"]
        values = [each["value"] for each in question["choices"]]
        chances = softmax(self.engine.answer([prompt], values)[0].values)
        table = [{"value": v, "probability": p} for v, p in zip(values, chances, strict=True)]
        answer = {"type": "choice", "name": "answer", "choice": values[0], "probabilities": table}
        return 200, {"answers": [answer], "usage": {"input_tokens": self.engine.prices([prompt])[0]}}

    def systemone(self, body):
        prompt = told(body["state"])
        values = list(body["questions"]["answer"]["criteria"])
        chances = softmax(self.engine.answer([prompt], values)[0].values)
        answer = {"type": "choice", "probabilities": dict(zip(values, chances, strict=True))}
        read = self.engine.prices([prompt])[0]
        return 200, {"answers": {"answer": answer}, "usage": {"input_tokens": read, "output_tokens": 0}}

    def embeddings(self, body):
        texts = body.get("input") or [json.dumps(body["messages"])]
        rows = [np.random.default_rng(list(text.encode())).normal(size=DIM).tolist() for text in texts]
        data = [{"index": n, "embedding": row} for n, row in enumerate(rows)]
        return 200, {"data": data[::-1], "usage": {"prompt_tokens": sum(map(len, texts))}}

    def rerank(self, body):
        asked = set(body["query"].lower().split())
        scores = [len(asked & set(text.lower().split())) for text in body["documents"]]
        results = [{"index": n, "relevance_score": score} for n, score in enumerate(scores)]
        return 200, {"results": sorted(results, key=lambda each: -each["relevance_score"])}

    def score(self, body):
        _, found = self.rerank({"query": body["text_1"], "documents": body["text_2"]})
        return 200, {"data": [{"index": e["index"], "score": e["relevance_score"]} for e in found["results"]]}


def chat(text, read, written, finish="stop"):
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": read, "completion_tokens": written},
    }


def softmax(values):
    total = math.fsum(map(math.exp, values))
    return [math.exp(value) / total for value in values]


def told(messages):
    """Messages as a prompt; refuses what OpenAI would refuse."""
    turns, opening = [], ""
    for message in messages:
        content = message["content"]
        if message["role"] == "assistant":
            opening = content
            continue
        parts = [content] if isinstance(content, str) else [part(each) for each in content]
        turns.append(Turn(message["role"], tuple(parts)))
    return Prompt(tuple(turns), opening)


def part(each):
    import base64
    import io

    from PIL import Image

    if each["type"] in ("text", "input_text"):
        return each["text"]
    url = each["image_url"]
    url = url["url"] if isinstance(url, dict) else url
    assert url.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        stub = self.server.stub
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.removeprefix("/v1")
        with stub.lock:
            stub.seen.append((path, body, dict(self.headers)))
            fault = stub.faults.pop(0) if stub.faults else None
            stub.busy += 1
            stub.most = max(stub.most, stub.busy)
        try:
            self.reply(stub, path, body, fault)
        finally:
            with stub.lock:
                stub.busy -= 1

    def reply(self, stub, path, body, fault):
        if stub.key and self.headers.get("authorization") != f"Bearer {stub.key}":
            return self.send(401, {"error": {"message": f"wrong key {self.headers.get('authorization')}"}})
        if path not in stub.has:
            return self.send(404, {"error": {"message": f"no route {path}"}})
        unknown = set(body) - FIELDS[path]
        if unknown:
            return self.send(422, {"detail": f"unknown fields {sorted(unknown)}"})
        if fault == "cut":
            self.connection.close()
            self.close_connection = True
            return None
        if fault == "slow":
            time.sleep(1.5)
        if fault == "drip":
            self.send_response(200)
            self.send_header("content-length", "100")
            self.end_headers()
            for _ in range(10):
                time.sleep(0.2)
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    break
            self.close_connection = True
            return None
        if fault in ("garbage", "list"):
            return self.send(200, b"<html>" if fault == "garbage" else [1])
        if isinstance(fault, int):
            return self.send(fault, {"error": {"message": "not now"}})
        if stub.fails(body):
            return self.send(400, {"error": {"message": "this one cannot be read"}})
        return self.send(*(fault(body) if callable(fault) else stub.answer(path, body)))

    def send(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", "http://me:hush@elsewhere/v1")
            if status == 429 and self.server.stub.retry_after is not None:
                self.send_header("retry-after", str(self.server.stub.retry_after))
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True


@pytest.fixture
def stub():
    """The server's behaviour; `stub.url` is where it listens."""
    made = Stub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.stub = made
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()
