"""What a run proves: every change of it is found, and what time took is not called a change."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from streams.records import OutputRecord, SourceRecord
from tests.workers.replay_rig import asked_and_published, deployment, replayed, send
from workers.embedded.kafka import EmbeddedKafka
from workers.errors import SettingsError
from workers.kafka import admin, consumer, producer, running
from workers.profiles.own_signals import publish_erasure
from workers.replays import verification
from workers.replays.evidence import MANIFEST, SIGNATURE, PartitionEvidence, record_digest
from workers.replays.keys import checked_key, trusted_key
from workers.replays.report import ReplayReport
from workers.replays.run_state import WORK, RunError
from workers.replays.signing import (
    fingerprint,
    is_signed,
    make_pair,
    public_key,
    sign,
    signing_key,
)
from workers.replays.verification import Finding, Verification, verify, verify_files
from workers.settings import Settings, load_settings


@pytest.fixture
async def settings(kafka: EmbeddedKafka, tmp_path: Path) -> Settings:
    """A deployment that signs its runs."""
    private, public = make_pair(tmp_path / "keys")
    return await deployment(kafka.bootstrap, audit={"signing_key": private, "public_key": public})


async def _verified(settings: Settings, report: ReplayReport) -> Verification:
    key = trusted_key(settings, None, report.request.folder.parent)
    return await verify(settings, report.request.folder, key)


def _findings(found: Verification) -> set[tuple[str, Finding]]:
    return {(check.name, check.finding) for check in found.checks}


# --- a run that was left alone


async def test_a_run_that_was_left_alone_holds(settings: Settings, tmp_path: Path) -> None:
    await asked_and_published(settings, 25)
    report = await replayed(settings, tmp_path, salt=1, publish=True)
    found = await _verified(settings, report)
    assert found.holds
    assert _findings(found) == {
        (name, Finding.HOLDS) for name in ("signature", "files", "hash chains", "input", "output")
    }
    assert "25 records are as they were read" in str(found.as_dict())


async def test_the_manifest_says_what_was_done_and_no_secret(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 8)
    report = await replayed(settings, tmp_path, user="u3")
    text = (report.request.folder / MANIFEST).read_text()
    document: dict[str, Any] = json.loads(text)
    assert document["asked"]["from"] == "earliest"
    assert document["input"]["topic"] == settings.topic_names.raw
    assert sum(part["records"] for part in document["input"]["partitions"]) == report.records
    assert sum(part["seen"] for part in document["input"]["partitions"]) == 8
    assert document["model"]["replayed_by"] == dict(report.replayed_by)
    assert document["code"]["sources"].startswith("sha256:")
    assert document["settings"]["values"]["cluster"] == settings.cluster
    assert document["started"] <= document["ended"]
    assert document["signed_with"] == report.signed
    assert "00" * 32 not in text.replace(document["input"]["partitions"][0]["chain"], "").replace(
        document["input"]["partitions"][1]["chain"], ""
    )
    assert "u3" not in json.dumps(document["asked"])


# --- one byte


async def test_a_changed_byte_of_any_file_is_found(settings: Settings, tmp_path: Path) -> None:
    """At the beginning, in the middle and at the end of every file; also what is added to it."""
    await asked_and_published(settings, 6)
    report = await replayed(settings, tmp_path, salt=1)
    key = trusted_key(settings, None, tmp_path)
    files = sorted(report.request.folder.iterdir())
    assert len(files) == 6
    for path in files:
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            found, _ = verify_files(report.request.folder, key)
            assert not found.holds, f"{path.name} at {at}"
        for changed in (whole + b"\n", whole[:-1]):
            path.write_bytes(changed)
            found, _ = verify_files(report.request.folder, key)
            assert not found.holds, path.name
        path.write_bytes(whole)
    assert verify_files(report.request.folder, key)[0].holds


async def test_every_byte_of_manifest_and_signature_counts(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)
    key = trusted_key(settings, None, tmp_path)
    manifest, line = ((report.request.folder / name).read_bytes() for name in (MANIFEST, SIGNATURE))
    assert is_signed(key, manifest, line)
    for at in range(len(manifest)):
        changed = manifest[:at] + bytes([manifest[at] ^ 4]) + manifest[at + 1 :]
        assert not is_signed(key, changed, line)
    for at in range(len(line)):
        for bit in (1, 2, 32):
            changed = line[:at] + bytes([line[at] ^ bit]) + line[at + 1 :]
            assert not is_signed(key, manifest, changed), (at, bit)


async def test_a_file_that_is_missing_or_foreign_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)
    key = trusted_key(settings, None, tmp_path)
    folder = report.request.folder
    (folder / "more.txt").write_text("hello")
    assert "more.txt is not of the run" in str(verify_files(folder, key)[0].as_dict())
    (folder / "more.txt").rename(folder / "report.html")
    assert "report.html was changed" in str(verify_files(folder, key)[0].as_dict())
    (folder / "report.html").unlink()
    assert "report.html is missing" in str(verify_files(folder, key)[0].as_dict())
    (folder / SIGNATURE).unlink()
    with pytest.raises(RunError, match="not signed"):
        verify_files(folder, key)
    (folder / MANIFEST).unlink()
    with pytest.raises(RunError, match="cannot be read"):
        verify_files(folder, key)
    (folder / WORK).write_text("")
    with pytest.raises(RunError, match="not finished"):
        verify_files(folder, key)
    with pytest.raises(RunError, match="no run"):
        verify_files(tmp_path / "none", key)


async def test_another_key_is_not_believed(settings: Settings, tmp_path: Path) -> None:
    """A run that was changed and signed anew, with a key of the forger's."""
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)
    forged = make_pair(tmp_path / "forger")
    folder = report.request.folder
    text = (folder / MANIFEST).read_bytes().replace(b'"records": 2', b'"records": 3')
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_bytes(sign(signing_key(forged[0]), text))
    found, _ = verify_files(folder, trusted_key(settings, None, tmp_path))
    assert _findings(found) == {("signature", Finding.TAMPERED)}


# --- Kafka


async def test_records_that_retention_took_are_expired_not_tampered(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 60)
    report = await replayed(settings, tmp_path, publish=True)
    raw = settings.topic_names.raw
    async with running(admin(settings.kafka), settings.kafka) as client:
        wanted = {TopicPartition(raw, n): RecordsToDelete(before_offset=5) for n in (0, 1)}
        await client.delete_records(wanted)
        await client.delete_topics([report.published_to])
    await asyncio.sleep(0.3)
    found = await _verified(settings, report)
    assert found.holds
    assert ("input", Finding.EXPIRED) in _findings(found)
    assert ("output", Finding.EXPIRED) in _findings(found)
    assert "10 records were taken by retention" in str(found.as_dict())
    assert "50 records are as they were read" in str(found.as_dict())


async def test_a_topic_that_was_made_anew_is_found(settings: Settings, tmp_path: Path) -> None:
    """Other records at the same offsets: no retention does that."""
    await asked_and_published(settings, 6)
    report = await replayed(settings, tmp_path, publish=True)
    raw = settings.topic_names.raw
    key = trusted_key(settings, None, tmp_path)
    other = await deployment(settings.kafka.bootstrap_servers)
    await asked_and_published(other, 7)
    await send(other, [OutputRecord(other.topic_names.raw, b"u1", b'{"text":"forged"}')])
    path = report.request.folder / MANIFEST
    text = path.read_bytes().replace(raw.encode(), other.topic_names.raw.encode())
    path.write_bytes(text)
    assert settings.audit.signing_key is not None
    signer = signing_key(settings.audit.signing_key)
    (report.request.folder / SIGNATURE).write_bytes(sign(signer, text))
    found = await verify(settings, report.request.folder, key)
    assert not found.holds
    assert "were changed" in str(found.as_dict())


async def test_another_cluster_is_an_error(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)

    async def another(_client: object) -> str:
        return "another"

    monkeypatch.setattr(verification, "cluster_id", another)
    with pytest.raises(RunError, match="another Kafka cluster"):
        await _verified(settings, report)


async def test_an_event_added_to_the_topic_of_the_run_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 4)
    report = await replayed(settings, tmp_path, publish=True)
    assert report.published_to is not None
    await send(settings, [OutputRecord(report.published_to, b"k", b"{}", (("ce_id", b"x"),))])
    found = await _verified(settings, report)
    assert ("output", Finding.TAMPERED) in _findings(found)


@pytest.mark.parametrize("erased", [False, True])
async def test_what_went_with_an_erased_user_is_erased_and_else_missing(
    settings: Settings, erased: bool
) -> None:
    """A record in the middle that is gone, as of a compacted topic or one that was made anew."""
    name = settings.pseudonyms.pseudonymiser().user("u3")
    if erased:
        async with running(producer(settings.kafka), settings.kafka) as client:
            await publish_erasure(client, settings, name, datetime.now(UTC))
    found = Verification("run")
    async with (
        running(admin(settings.kafka), settings.kafka) as client_,
        running(consumer(settings.kafka), settings.kafka) as reader,
    ):
        check = verification._InputCheck(settings, client_, reader, found)
        await check._tell(verification._Compared(same=8, gone=[("raw[0]@3", name)]))
    wanted = Finding.ERASED if erased else Finding.TAMPERED
    assert _findings(found) == {("input", Finding.HOLDS), ("input", wanted)}


# --- hashes


def _record(**changes: Any) -> SourceRecord:
    given: dict[str, Any] = {
        "topic": "t",
        "partition": 0,
        "offset": 1,
        "timestamp_ms": 2,
        "key": b"k",
        "value": b"v",
        "headers": (("a", b"b"), ("c", None)),
    }
    return SourceRecord(**given | changes)


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 2},
        {"timestamp_ms": 3},
        {"key": None},
        {"key": b""},
        {"value": b"w"},
        {"value": None},
        {"key": b"kv", "value": b""},
        {"headers": (("a", b"b"),)},
        {"headers": (("c", None), ("a", b"b"))},
        {"headers": (("a", b"b"), ("c", b""))},
        {"headers": (("ab", b""), ("c", None))},
    ],
)
def test_a_records_hash_covers_all_of_it(change: dict[str, Any]) -> None:
    assert record_digest(_record(**change)) != record_digest(_record())


def test_a_chain_knows_order_and_number() -> None:
    digests = [record_digest(_record(offset=n)) for n in range(3)]

    def chain(*order: int) -> bytes:
        part = PartitionEvidence(0, 0, 3, 0)
        for n in order:
            part.add(digests[n])
        return part.chain

    assert len({chain(0, 1, 2), chain(0, 2, 1), chain(0, 1), chain(0, 1, 1, 2), chain()}) == 5


# --- keys


def test_a_pair_is_made_once_and_the_private_half_is_private(tmp_path: Path) -> None:
    private, public = make_pair(tmp_path / "new")
    assert private.stat().st_mode & 0o777 == 0o600
    assert fingerprint(signing_key(private).public_key()) == fingerprint(public_key(public))
    with pytest.raises(SettingsError, match=r"a key in .* already"):
        make_pair(tmp_path / "new")
    with pytest.raises(SettingsError, match="cannot be written"):
        make_pair(private / "no folder")


def test_files_that_are_no_keys_are_said_in_plain_words(tmp_path: Path) -> None:
    private, public = make_pair(tmp_path)
    other = tmp_path / "other.pem"
    for read, wrong in ((signing_key, public), (public_key, private)):
        with pytest.raises(SettingsError, match="holds no"):
            read(wrong)
        with pytest.raises(SettingsError, match="cannot be read"):
            read(tmp_path / "none.pem")
    curve = generate_private_key(SECP256R1())
    other.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsError, match="not for Ed25519"):
        signing_key(other)
    other.write_bytes(
        curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(SettingsError, match="not for Ed25519"):
        public_key(other)
    other.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    )
    with pytest.raises(SettingsError, match="holds no"):
        signing_key(other)


async def test_a_run_without_a_key_says_that_nobody_can_verify_it(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    settings = await deployment(kafka.bootstrap)
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)
    assert report.signed is None
    assert any("not signed" in note for note in report.notes)
    with pytest.raises(SettingsError, match="no public key"):
        trusted_key(settings, None, tmp_path)


async def test_the_stack_on_one_machine_makes_its_own_key(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    settings = await deployment(kafka.bootstrap, environment="embedded")
    await asked_and_published(settings, 2)
    report = await replayed(settings, tmp_path)
    assert report.signed is not None
    assert (await _verified(settings, report)).holds


def test_a_key_that_cannot_be_used_is_said_before_the_work(tmp_path: Path) -> None:
    def of(**audit: Path) -> Settings:
        return load_settings(None, pseudonyms={"secret": "00" * 32}, audit=audit)

    with pytest.raises(SettingsError, match="cannot be read"):
        checked_key(of(signing_key=tmp_path / "none"), tmp_path)
    with pytest.raises(SettingsError, match="no INTENTSTREAM_AUDIT__SIGNING_KEY"):
        checked_key(of(public_key=tmp_path / "none"), tmp_path)
