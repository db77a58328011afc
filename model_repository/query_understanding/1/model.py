"""The front of the model: strings in, tensors out. It runs in Triton's Python, with nothing of ours.

Each row goes to the encoder of its language, by script. Rows of one length run together, so
nothing is padded, and the same query gives the same bytes alone and in any batch; the server
checks that of itself at start.

Parameters (config.pbtxt):
    encoder_runtime: `local` runs ONNX Runtime in this process; `bls` calls Triton's encoder models.
    encoder_en_version, encoder_zh_version: the version of each encoder there is.
    sub_batch: about how many rows an encoder is given at once.
    threads: how many sub-batches run at once in this process; as many as it has cores when left out.
"""

import hashlib
import json
import os
import platform
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import triton_python_backend_utils as pb_utils
from tokenizers import Tokenizer

MAX_PIECES = 128  # with the two special ones that frame a text
MAX_CHARACTERS = 20_000  # of a text; what is past the first pieces could only be counted
VECTOR_WIDTH = 384
RELATION_WIDTH = 32
LANGUAGES = ("en", "zh")
UNDETERMINED = "und"
HEADS = ("intent", "sentiment", "tags", "subject", "object", "vector")
# More cores than this wait for one process's Python: give the model more instances there.
MOST_THREADS = 8

# One-dimensional fused kernels of ONNX Runtime that are slower than the plain ones on a CPU.
_SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasSkipLayerNormFusion"]

_SELF_TEST = {
    "en": (
        "shoes", "red shoes", "men's running shoes size 10", "where is my order [ORDER]", "iphone 15",
        "does the blue kettle switch itself off when it boils", "refund", "hello", "nike", "501",
        "i want to return the leather jacket i bought last week because it is too small for me",
        "usb c charger 65w", "i love it", "cancel it", "gift for dad", "call me at [PHONE] please",
        "stainless steel water bottle 500 ml", "king size duvet cover", "my card was declined", "tv",
    ),
    "zh": (
        "鞋", "红色的鞋子", "耐克男运动鞋42码", "我的订单[ORDER]到哪里了", "苹果 iPhone 15 手机壳", "退款",
        "这个蓝色的水壶烧开以后会自动断电吗", "你好", "华为", "上周买的皮衣太小了,我想退货,请问运费谁出",
        "65w充电器", "很喜欢", "取消", "送爸爸的礼物", "请打[PHONE]联系我", "不锈钢水杯500ml", "被套",
        "付款一直失败,钱却扣了两次,你们到底怎么回事", "电视", "一双白袜子和一条黑色的裤子",
    ),
}  # fmt: skip


def script_of(text):
    """`zh` where there is any Han, `en` for Latin or digits, `und` for other scripts or no word at all.

    Mixed script is Chinese, but not beside kana, which is Japanese, nor where letters of other
    scripts prevail. A few of those do no harm: look-alikes, a brand's name.
    """
    if text.isascii():
        return "en" if any(map(str.isalnum, text)) else UNDETERMINED
    latin = han = other = digits = 0
    for character in text:
        if not character.isalpha():
            digits += character.isalnum()
            continue
        code = ord(character)
        if code < 0x250 or 0x1E00 <= code < 0x1F00 or 0xFF21 <= code <= 0xFF5A:
            latin += 1
        elif 0x3040 <= code < 0x3100 or 0x31F0 <= code < 0x3200 or 0xFF66 <= code < 0xFFA0:
            return UNDETERMINED  # kana: Japanese, whatever else there is
        elif 0x3400 <= code < 0xA000 or 0xF900 <= code < 0xFB00 or code >= 0x20000:
            han += 1
        else:
            other += 1
    if other > latin + han or not (latin or han or digits):
        return UNDETERMINED
    return "zh" if han else "en"


def instruction_set():
    """The class of the processor's vector instructions: kernels, and so last digits, differ by it."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        flags = []
    known = ("amx_int8", "avx512_vnni", "avx_vnni", "avx512f", "avx2")
    return next((name for name in known if name in flags), platform.machine())


class LocalRuntime:
    """ONNX Runtime in this process, one thread a call, not spinning: calls share the cores.

    Calls of several threads share one session, and so one copy of the weights in the cache.
    """

    profile = "cpu-int8"

    def __init__(self, path):
        import onnxruntime  # noqa: PLC0415 - the GPU image's Python has none

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.version = onnxruntime.__version__
        self.machine = instruction_set()
        self._session = onnxruntime.InferenceSession(
            str(path / "model.onnx"),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_SLOW_FUSIONS,
        )

    def __call__(self, ids):
        """The heads of ids [B, L]."""
        return self._session.run(list(HEADS), {"input_ids": ids})


class TritonRuntime:
    """The encoder as a model of the same Triton, its version pinned in every call."""

    profile = "gpu-fp16"

    def __init__(self, name, version):
        self._name, self._model_version = name, int(version)
        self.version = os.environ.get("TRITON_SERVER_VERSION", "unknown")
        self.machine = "gpu"

    def __call__(self, ids):
        """The heads of ids [B, L]."""
        request = pb_utils.InferenceRequest(
            model_name=self._name,
            model_version=self._model_version,
            requested_output_names=list(HEADS),
            inputs=[pb_utils.Tensor("input_ids", ids)],
        )
        response = request.exec()
        if response.has_error():
            raise pb_utils.TritonModelException(response.error().message())
        found = [pb_utils.get_output_tensor_by_name(response, name) for name in HEADS]
        return [tensor.as_numpy() for tensor in found]


class InTurn:
    """Runs calls one after the other, in the caller's thread."""

    map = staticmethod(map)


def _ids(encoding, length):
    """The ids of a text's first pieces; the last of the two that frame it stays the last."""
    ids = encoding.ids  # made anew each time
    return ids if len(ids) == length else [*ids[: length - 1], ids[-1]]


class Encoder:
    """One language: its tokenizer and its network."""

    def __init__(self, repository, language, version, runtime, sub_batch, threads=None):
        name, self._language = f"encoder_{language}", language
        folder = repository / name / version
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True  # a typed "[MASK]" is plain text
        self._run = LocalRuntime(folder) if runtime == "local" else TritonRuntime(name, version)
        self._threads = threads or InTurn()
        self.sub_batch = sub_batch
        self.fingerprint = hashlib.sha256()
        for file in ("model.onnx", "tokenizer.json"):
            self.fingerprint.update((folder / file).read_bytes())
        for fact in (self._run.profile, self._run.version, self._run.machine):
            self.fingerprint.update(fact.encode() + b"\0")

    def encode(self, texts):
        """The word pieces of each text, with their code-point offsets."""
        return self._tokenizer.encode_batch([text[:MAX_CHARACTERS] for text in texts])

    def sub_batches(self, encodings):
        """Rows of one exact length, about `sub_batch` together; the largest come first."""
        groups = defaultdict(list)
        for row, encoding in enumerate(encodings):
            groups[min(len(encoding), MAX_PIECES)].append(row)
        parts = [
            (length, part)
            for length, rows in groups.items()
            # In equal parts: a call costs as much as two rows or three, whatever is in it.
            for part in np.array_split(rows, max(round(len(rows) / self.sub_batch), 1))
        ]
        return sorted(parts, key=lambda part: (part[0] * len(part[1]), part[0]), reverse=True)

    def heads(self, encodings):
        """For each sub-batch: its length, its rows, and the heads of these."""
        parts = self.sub_batches(encodings)
        ids = [
            np.array([_ids(encodings[row], length) for row in rows], dtype=np.int64)
            for length, rows in parts
        ]
        for (length, rows), heads in zip(parts, self._threads.map(self._run, ids), strict=True):
            yield length, rows, heads

    def depends_on_batch(self):
        """Whether any of some queries gets other bytes in a batch than alone."""
        texts = _SELF_TEST[self._language] * 3
        for _, rows, together in self.heads(self.encode(texts)):
            for place, row in enumerate(rows):
                ((_, _, alone),) = self.heads(self.encode([texts[row]]))
                pairs = zip(alone, together, strict=True)
                if not all(np.array_equal(one[0], other[place]) for one, other in pairs):
                    return True
        return False


class Response:
    """The tensors of one request; rows that no encoder has read are zeros."""

    def __init__(self, classes, languages, pieces, digest):
        count, longest = len(pieces), max([*pieces, 1])
        intents, sentiments, tags = classes
        self._tensors = {
            "INTENT_LOGITS": np.zeros((count, intents), np.float32),
            "SENTIMENT_LOGITS": np.zeros((count, sentiments), np.float32),
            "TAG_LOGITS": np.zeros((count, longest, tags), np.float32),
            "TOKEN_OFFSETS": np.zeros((count, longest, 2), np.int32),
            "TOKEN_COUNT": np.array(pieces, np.int32).reshape(-1, 1),
            "WORD_PIECES": np.zeros((count, 1), np.int32),
            "RELATION_SUBJECT": np.zeros((count, longest, RELATION_WIDTH), np.float32),
            "RELATION_OBJECT": np.zeros((count, longest, RELATION_WIDTH), np.float32),
            "SENTENCE_VECTOR": np.zeros((count, VECTOR_WIDTH), np.float32),
            "LANGUAGE": np.array([[name.encode()] for name in languages], np.object_),
            "DIGEST": np.array([[digest]] * count, np.object_),
        }

    def fill(self, places, length, heads, encodings):
        """Writes the heads of some rows, all of one length, without the two pieces that frame it."""
        intent, sentiment, tag, subject, obj, vector = heads
        tensors, kept = self._tensors, length - 2
        tensors["INTENT_LOGITS"][places] = intent
        tensors["SENTIMENT_LOGITS"][places] = sentiment
        tensors["SENTENCE_VECTOR"][places] = vector
        tensors["WORD_PIECES"][places, 0] = [len(encoding) for encoding in encodings]
        if kept:
            tensors["TAG_LOGITS"][places, :kept] = tag[:, 1:-1]
            tensors["RELATION_SUBJECT"][places, :kept] = subject[:, 1:-1]
            tensors["RELATION_OBJECT"][places, :kept] = obj[:, 1:-1]
            offsets = [encoding.offsets[1 : length - 1] for encoding in encodings]
            tensors["TOKEN_OFFSETS"][places, :kept] = offsets

    def made(self):
        """The response for Triton."""
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, value) for name, value in self._tensors.items()]
        )


class TritonPythonModel:
    """Triton's interface."""

    def initialize(self, args):
        """Loads the encoders and tests that they do not depend on the batch."""
        config = json.loads(args["model_config"])
        parameters = {k: v["string_value"] for k, v in config.get("parameters", {}).items()}
        repository = Path(args["model_repository"]).parent
        labels = json.loads(parameters["labels"])
        self._classes = tuple(len(labels[name]) for name in ("intents", "sentiments", "tags"))
        runtime = parameters.get("encoder_runtime", "local")
        sub_batch = int(parameters.get("sub_batch", "64"))
        cores = len(os.sched_getaffinity(0))
        threads = int(parameters.get("threads", min(cores, MOST_THREADS)))
        pool = ThreadPoolExecutor(threads) if runtime == "local" and threads > 1 else None
        self._encoders = {
            language: Encoder(
                repository,
                language,
                parameters[f"encoder_{language}_version"],
                runtime,
                sub_batch,
                pool,
            )
            for language in LANGUAGES
            if f"encoder_{language}_version" in parameters
        }
        # A model may not be called while it loads, so encoders behind Triton test themselves later.
        self._untested = runtime != "local"
        if not self._untested:
            self._test_encoders()
        self._digest = self._make_digest(parameters)

    def _make_digest(self, parameters):
        digest = hashlib.sha256(Path(__file__).read_bytes())
        digest.update(parameters["labels"].encode())
        for language in sorted(self._encoders):
            digest.update(language.encode() + self._encoders[language].fingerprint.digest())
        return f"sha256:{digest.hexdigest()}".encode()

    def _test_encoders(self):
        for language, encoder in self._encoders.items():
            if encoder.depends_on_batch():
                encoder.sub_batch = 1
                pb_utils.Logger.log_error(
                    f"encoder_{language} gives other scores in a batch than alone on this machine: "
                    "falling back to one query at a time, which is slower but always the same"
                )
        self._untested = False

    def execute(self, requests):
        """One response a request; all rows of all requests are run together."""
        if self._untested:
            self._test_encoders()
        texts, counts = [], []
        for request in requests:
            rows = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
            texts += [self._decoded(row) for row in rows]
            counts.append(len(rows))
        return [response.made() for response in self._understood(texts, counts)]

    @staticmethod
    def _decoded(row):
        return row.decode("utf-8", "replace") if isinstance(row, bytes) else str(row)

    def _understood(self, texts, counts):
        """The responses to requests of so many texts each."""
        languages = [UNDETERMINED] * len(texts)
        pieces = [0] * len(texts)
        read = []
        by_language = defaultdict(list)
        for row, text in enumerate(texts):
            by_language[script_of(text)].append(row)
        for language, rows in by_language.items():
            encoder = self._encoders.get(language)
            if encoder is None:
                continue
            encodings = encoder.encode([texts[row] for row in rows])
            read.append((encoder, np.array(rows), encodings))
            for row, encoding in zip(rows, encodings, strict=True):
                languages[row] = language
                pieces[row] = min(len(encoding), MAX_PIECES) - 2
        ends = np.cumsum(counts)
        starts = ends - counts
        responses = [
            Response(self._classes, languages[start:end], pieces[start:end], self._digest)
            for start, end in zip(starts, ends, strict=True)
        ]
        for encoder, rows, encodings in read:
            for length, part, heads in encoder.heads(encodings):
                owners = np.searchsorted(ends, rows[part], side="right")
                for owner in np.unique(owners):
                    mine = np.flatnonzero(owners == owner)
                    responses[owner].fill(
                        rows[part[mine]] - starts[owner],
                        length,
                        [head[mine] for head in heads],
                        [encodings[row] for row in part[mine]],
                    )
        return responses
