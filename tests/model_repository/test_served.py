"""The checked-in model as the real Triton serves it: contract, odd texts, batch invariance."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import tritonclient.grpc.aio as grpc

from streams.decoding import Decoder, ModelOutputs, Understanding
from workers.embedded.triton import EmbeddedTriton
from workers.model_contract import ModelContract, output_names

MODEL = "query_understanding"

# Words of our own, put together into thousands of different queries.
_FIRST = (
    "red",
    "blue",
    "cheap",
    "waterproof",
    "wooden",
    "kids",
    "nike",
    "organic",
    "64gb",
    "large",
)
_SECOND = ("shoes", "lamp", "phone case", "tent", "water bottle", "office chair", "t-shirt", "pan")
_FRAMES = (
    "{} {}", "do you have {} {}", "where is my {} {}", "{1} {0} for men", "the {} {} broke",
    "can i return the {} {} i bought last week because it does not fit", "{} {} and a green bag",
)  # fmt: skip


def many_queries() -> list[str]:
    found = [
        f"{frame.format(first, second)} {number}".strip()
        for frame in _FRAMES
        for first in _FIRST
        for second in _SECOND
        for number in ("", "10", "under $50")
    ]
    chinese = [
        frame.format(first, second)
        for frame in ("{}{}", "有没有{}的{}", "我的{}{}到哪里了", "{}的{}坏了,我要退货")
        for first in ("红色", "便宜", "防水", "儿童", "大码")
        for second in ("鞋子", "台灯", "手机壳", "帐篷", "iPhone 15", "办公椅")
    ]
    long = ("x" * n for n in range(1, 40)), ("word " * n for n in range(1, 140, 9))
    return [*found, *chinese, *long[0], *long[1]]


class Served:
    """The served model, called as any client would."""

    def __init__(self, client: Any, contract: ModelContract) -> None:
        self.client, self.contract = client, contract

    async def __call__(self, texts: Sequence[str | bytes]) -> ModelOutputs:
        rows = [[text if isinstance(text, bytes) else text.encode()] for text in texts]
        tensor = grpc.InferInput("TEXT", [len(rows), 1], "BYTES")
        tensor.set_data_from_numpy(np.array(rows, dtype=np.object_))
        wanted = [grpc.InferRequestedOutput(name) for name in output_names()]
        result = await self.client.infer(MODEL, [tensor], outputs=wanted)
        sent = [row[0].decode("utf-8", "replace") for row in rows]
        return self.contract.read(sent, result.as_numpy)

    async def understand(self, *texts: str) -> list[Understanding]:
        return Decoder(self.contract.labels).decode(await self(texts), list(texts))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(triton: EmbeddedTriton) -> AsyncIterator[Served]:
    async with grpc.InferenceServerClient(triton.grpc_address) as client:
        metadata = await client.get_model_metadata(MODEL, as_json=True)
        config = (await client.get_model_config(MODEL, as_json=True))["config"]
        yield Served(client, ModelContract.of(metadata, config))


async def test_it_understands_a_search(served: Served) -> None:
    (found,) = await served.understand("red leather shoes for women")
    assert found.intent.label == "product_search"
    assert {(s.type, s.start, s.end) for s in found.spans} >= {
        ("color", 0, 3),
        ("material", 4, 11),
        ("core_product_type", 12, 17),
    }
    assert len(found.vector or b"") == 768


async def test_it_knows_which_attribute_belongs_to_which_product(served: Served) -> None:
    text = "red shoes and a blue bag"
    (found,) = await served.understand(text)
    pairs = {
        tuple(text[found.spans[n].start : found.spans[n].end] for n in (r.subject, r.object))
        for r in found.relations
    }
    assert pairs == {("shoes", "red"), ("bag", "blue")}


async def test_it_tells_requests_apart(served: Served) -> None:
    found = await served.understand(
        "where is my order [ORDER]?",
        "I want my money back",
        "does this lamp come with a bulb",
        "my kettle arrived broken, this is terrible",
        "what is the capital of france",
    )
    assert [answer.intent.label for answer in found] == [
        "track_order",
        "refund",
        "product_question",
        "complaint",
        "out_of_scope",
    ]
    assert found[3].sentiment.label == "negative"


@pytest.mark.parametrize(
    ("text", "intent", "spans"),
    [
        ("我想买一部手机", "product_search", {("core_product_type", "手机")}),
        (
            "我想找一件蓝色的衣服",
            "product_search",
            {("color", "蓝色"), ("core_product_type", "衣服")},
        ),
        ("我的快递到哪里了", "track_order", set()),
        ("我的快递状态", "track_order", set()),
    ],
)
async def test_it_understands_chinese(
    served: Served, text: str, intent: str, spans: set[tuple[str, str]]
) -> None:
    (found,) = await served.understand(text)
    assert found.language == "zh"
    assert found.intent.label == intent
    assert {(s.type, text[s.start : s.end]) for s in found.spans} == spans
    assert found.sentiment.label == "neutral"


async def test_mixed_scripts_are_chinese(served: Served) -> None:
    text = "苹果 iPhone 15 手机壳"
    (found,) = await served.understand(text)
    assert (found.language, found.intent.label) == ("zh", "product_search")
    assert ("core_product_type", "手机壳") in {(s.type, text[s.start : s.end]) for s in found.spans}


async def test_each_chinese_product_has_its_own_color(served: Served) -> None:
    text = "红色的鞋子和蓝色的包"
    (found,) = await served.understand(text)
    pairs = {
        tuple(text[found.spans[n].start : found.spans[n].end] for n in (r.subject, r.object))
        for r in found.relations
    }
    assert pairs == {("鞋子", "红色"), ("包", "蓝色")}


async def test_a_query_and_its_translation_are_neighbours(served: Served) -> None:
    """One vector space: the Chinese query is nearer to its English than to other English."""
    outputs = await served(
        ["我想买一双红色的运动鞋", "red running shoes", "office chair", "phone case"]
    )
    near = outputs.sentence_vector[1:] @ outputs.sentence_vector[0]
    assert int(near.argmax()) == 0


@pytest.mark.parametrize(
    "text",
    [
        "بحث عن حذاء",
        "バッグ",
        "красные туфли",
        "",
        "  \t ",
    ],
)
async def test_other_scripts_and_blanks_are_undetermined(served: Served, text: str) -> None:
    outputs = await served([text, "shoes"])
    assert outputs.languages == ("und", "en")
    assert outputs.token_count.tolist()[0] == 0
    assert not outputs.intent_logits[0].any()
    assert not outputs.sentence_vector[0].any()


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe shoes",
        b"\xed\xa0\xbd",
        b"\x00\x01\x02 lamp",
        b"\xe2\x80\x8b\xe2\x80\xae",
        "👍🏽👨‍👩‍👧 mug".encode(),
        b"[MASK] [CLS] [SEP] [PAD] [UNK]",
        "e\u0301\u0301\u0301 bag".encode(),
        b"a" * 1_000_000,
        b"shoes " * 20_000,
        "\U0010ffff".encode(),
    ],
)
async def test_no_bytes_break_it(served: Served, text: bytes) -> None:
    outputs = await served([text, b"red shoes"])
    again = await served([b"red shoes"])
    assert np.array_equal(outputs.intent_logits[1], again.intent_logits[0])


async def test_the_count_of_pieces_is_before_the_cut(served: Served) -> None:
    outputs = await served(["word " * 300])
    assert outputs.word_pieces.tolist() == [302]
    assert outputs.token_count.tolist() == [126]


async def test_a_typed_special_token_is_text(served: Served) -> None:
    outputs = await served(["[MASK] case"])
    assert int(outputs.token_count[0]) > 2


async def test_one_query_gives_the_same_bytes_alone_and_in_a_batch_of_128(served: Served) -> None:
    """CASES 38: the same text beside other batch mates, and every eighth one alone."""
    queries = many_queries()
    assert len(queries) > 1500
    chance = np.random.default_rng(1)
    first, second = [await _answers(served, queries, chance, 128) for _ in range(2)]
    alone = await _answers(served, queries[::8], chance, 1)
    different = [
        text
        for text, row in [*second.items(), *alone.items()]
        if not all(np.array_equal(a, b) for a, b in zip(row, first[text], strict=True))
    ]
    assert not different


async def _answers(
    served: Served, queries: list[str], chance: np.random.Generator, size: int
) -> dict[str, list[np.ndarray[Any, Any]]]:
    """Each query's tensors, asked in a random order in batches of `size`."""
    found: dict[str, list[np.ndarray[Any, Any]]] = {}
    mixed = [queries[n] for n in chance.permutation(len(queries))]
    for start in range(0, len(mixed), size):
        batch = mixed[start : start + size]
        outputs = await served(batch)
        found |= {text: _row(outputs, row) for row, text in enumerate(batch)}
    return found


def _row(outputs: ModelOutputs, row: int) -> list[np.ndarray[Any, Any]]:
    count = int(outputs.token_count[row])
    return [
        outputs.intent_logits[row],
        outputs.sentiment_logits[row],
        outputs.sentence_vector[row],
        outputs.tag_logits[row, :count],
        outputs.token_offsets[row, :count],
        outputs.relation_subject[row, :count],
        outputs.relation_object[row, :count],
    ]


async def test_every_answer_carries_one_digest(served: Served) -> None:
    first, second = await served(["red"]), await served(["blue", "我想买", ""])
    assert first.digest == second.digest
    assert first.digest.startswith("sha256:")
