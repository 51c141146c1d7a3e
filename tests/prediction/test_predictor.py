"""Predictions: batches, workers, failures. The oracles are the model itself, called on one RNA, and
ViennaRNA called directly.
"""

import contextlib
import dataclasses
import itertools
import multiprocessing
import random
import shutil
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import RNA
import torch
from tiny_weights import save_tiny_weights, tiny_model

import rnass
from rnass.config import DecodingConfig, MixtureConfig
from rnass.decoding import change_log_odds, one_partner
from rnass.errors import CheckpointError, ConfigError, RnassError, SequenceError
from rnass.network.contact_model import ContactModel, Mixture, collate
from rnass.prediction import limits, pipeline
from rnass.prediction import predictor as module
from rnass.prediction.limits import MAX_LENGTH
from rnass.prediction.pipeline import Cores, run_pipeline, share_cores
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.prediction.restraints import PROBED_MIX
from rnass.prediction.windows import Windows
from rnass.rna import Rna
from rnass.thermodynamics import workers
from rnass.thermodynamics.conditions import Conditions
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import FoldInput, base_pair_probabilities
from rnass.thermodynamics.second_fold import second_fold

HAIRPIN = "GGGGAAAACCCC"


def draw(count, shortest=1, longest=60, seed=0):
    letters = random.Random(seed)
    sizes = [letters.randint(shortest, longest) for _ in range(count)]
    return [Rna(f"r{k}", "".join(letters.choices("ACGU", k=n))) for k, n in enumerate(sizes)]


def in_order(rows):
    return sorted(rows, key=lambda row: row.number)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(tiny_model())


def test_one_prediction(predictor):
    got = predictor("ggggaaaacccc")
    assert got.rna.bases == HAIRPIN
    assert got.dot_bracket == got.structure.dot_bracket == "((((....))))"
    assert got.probabilities.shape == (12, 12)
    assert got.probabilities.dtype == np.float32
    np.testing.assert_array_equal(got.probabilities, got.probabilities.T)
    assert not got.probabilities.diagonal().any()
    assert 0.5 < got.confidence <= 1
    assert got.base_confidence.shape == (12,)
    assert (got.base_confidence[:4] > 0.5).all()
    dot_bracket, energy = RNA.fold(HAIRPIN)
    assert got.thermodynamics.mfe_structure.dot_bracket == dot_bracket
    assert got.thermodynamics.mfe == pytest.approx(energy)
    assert got.thermodynamics.mea is None
    assert got.seconds > 0


def test_a_hairpin_melts():
    """The log-odds are those of 37 C, changed as ViennaRNA's are."""
    model, hot = tiny_model(("rnass2026",)), Conditions(90)
    model.config = dataclasses.replace(model.config, temperature=4.0)  # of the logits, not as certain
    cold, found = Predictor(model)(HAIRPIN), Predictor(model, conditions=hot)(HAIRPIN)
    before, after = (
        np.maximum(ensemble.bpp.dense(), second_fold(ensemble).dense())
        for ensemble in (Ensemble(HAIRPIN), Ensemble(HAIRPIN, conditions=hot))
    )
    expected = change_log_odds(cold.probabilities, before, after)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert cold.dot_bracket == "((((....))))"
    assert found.dot_bracket == "............"
    assert found.probabilities[1, 10] < 0.5 * cold.probabilities[1, 10]
    details = RNA.md()
    details.temperature = 90
    assert found.thermodynamics.mfe == RNA.fold_compound(HAIRPIN, details).mfe()[1]
    assert found.energy == 0
    unread = Predictor(model, conditions=hot, thermodynamics=False)(HAIRPIN)
    alone = Predictor(model, thermodynamics=False)(HAIRPIN)
    assert unread.probabilities[1, 10] < 0.5 * alone.probabilities[1, 10]


def test_windows_and_mixtures_are_at_the_conditions(predictor):
    windows, hot = Windows(20, 20), Conditions(90)
    bases = "AAAAA" + HAIRPIN + "AAAAA"
    cold = Predictor(predictor.model, windows=windows)(bases)
    found = Predictor(predictor.model, windows=windows, conditions=hot)(bases)
    assert found.windows > 1
    assert found.probabilities[6, 15] < 0.5 * cold.probabilities[6, 15]
    assert found.thermodynamics.conditions == hot
    mixed = Predictor(predictor.model, conditions=hot, mix=1.0)(HAIRPIN)
    bpp = Ensemble(HAIRPIN, conditions=Conditions(90)).bpp.dense()
    np.testing.assert_allclose(mixed.decoded_map, bpp, atol=2e-3)


def test_reactivities_bring_a_share_of_viennarna_which_knows_them(predictor):
    model = predictor.model

    def decoded(reactivity, **options):
        rna = Rna("probed", HAIRPIN, reactivities=(reactivity,) * len(HAIRPIN))
        return Predictor(model, **options)(rna).decoded_map

    np.testing.assert_array_equal(decoded(0.4), decoded(0.4, mix=PROBED_MIX))
    assert abs(decoded(0.4) - decoded(0.4, mix=0.0)).max() > 0.001
    np.testing.assert_allclose(decoded(np.nan), predictor(HAIRPIN).decoded_map, atol=1e-3)
    unread = [decoded(0.4, mix=mix, thermodynamics=False) for mix in (None, 0.0)]
    np.testing.assert_array_equal(*unread)


def test_probabilities_are_those_of_the_model(predictor):
    maps = [base_pair_probabilities(HAIRPIN).dense()[None]]
    batch = collate([HAIRPIN], maps, predictor.model.backbone.vocabulary)
    with torch.no_grad():
        expected = predictor.model.probabilities(batch)[0].numpy()
    np.testing.assert_array_equal(predictor(HAIRPIN).probabilities, one_partner(expected, HAIRPIN))


def test_what_is_done_in_place_without_gradients_changes_no_bit(predictor):
    bases = [sequence.bases for sequence in draw(4)]
    maps = [base_pair_probabilities(one).dense()[None] for one in bases]
    batch = collate(bases, maps, predictor.model.backbone.vocabulary)
    with torch.no_grad():
        in_place = predictor.model(batch)
    assert torch.equal(in_place, predictor.model(batch).detach())


def test_a_precision_that_does_not_exist(predictor):
    with pytest.raises(ConfigError, match="precision: 'fp16'; expected 'float32' or 'bfloat16'"):
        Predictor(predictor.model, precision="fp16")


def test_letters_are_predicted_as_rnas_are(predictor):
    named, letters = predictor.predict([Rna("x", HAIRPIN), HAIRPIN])
    assert letters.prediction.structure == named.prediction.structure
    assert letters.prediction.rna.id == "sequence-2"
    with pytest.raises(SequenceError, match="sequence 1: int; expected the bases as a str"):
        list(predictor.predict([5]))


def test_many_are_as_each_alone(predictor):
    sequences = draw(40)
    outcomes = in_order(predictor.predict(sequences))
    assert [outcome.number for outcome in outcomes] == list(range(40))
    for sequence, outcome in zip(sequences, outcomes, strict=True):
        alone = predictor(sequence)
        assert outcome.prediction.rna is sequence
        np.testing.assert_allclose(outcome.prediction.probabilities, alone.probabilities, atol=1e-5)
        assert outcome.prediction.structure == alone.structure
        assert outcome.prediction.thermodynamics.mfe == alone.thermodynamics.mfe


def test_the_same_input_gives_the_same_bits(predictor):
    first, second = (in_order(predictor.predict(draw(20))) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.prediction.probabilities.tobytes() == b.prediction.probabilities.tobytes()
        assert a.prediction.structure == b.prediction.structure


def test_workers_change_nothing(predictor):
    sequences = draw(30)
    for a, b in zip(
        in_order(predictor.predict(sequences)),
        in_order(run_pipeline(predictor, sequences, Cores(1))),
        strict=True,
    ):
        np.testing.assert_array_equal(a.prediction.probabilities, b.prediction.probabilities)
        assert a.prediction.thermodynamics.mfe_structure == b.prediction.thermodynamics.mfe_structure


def test_lanes_change_nothing(predictor, monkeypatch):
    monkeypatch.setattr(pipeline, "_BATCH_SIZE", 4000)
    sequences = [*draw(30), Rna("wrong", "AC"), Rna("long", "A" * 99)]
    real = predictor.read

    def refuse(rnas, folded):
        if any(rna.id == "wrong" for rna in rnas):
            raise RnassError("wrong: no")
        return real(rnas, folded)

    monkeypatch.setattr(predictor, "read", refuse)
    one, three = (in_order(run_pipeline(predictor, sequences, Cores(0, lanes))) for lanes in (1, 3))
    assert [a.number for a in one] == [b.number for b in three] == list(range(32))
    for a, b in zip(one, three, strict=True):
        if a.number == 30:
            assert a.prediction is b.prediction is None
            assert str(b.error) == "wrong: no"
        else:
            np.testing.assert_array_equal(a.prediction.probabilities, b.prediction.probabilities)


def test_lanes_run_beside_each_other_but_never_beside_a_very_long_rna(predictor, monkeypatch):
    monkeypatch.setattr(pipeline, "_BATCH_SIZE", 1000)
    sizes, beside = [], []
    lock, together = threading.Lock(), threading.Event()

    def probabilities(rnas, _):
        size = len(rnas[0])
        with lock:
            sizes.append(size)
            beside.append(sorted(sizes))
            if len(sizes) == 2:
                together.set()
        if size < 60:
            together.wait(60)  # a lane that ran alone would wait in vain
        with lock:
            sizes.remove(size)
        return [np.zeros((len(rna), len(rna)), dtype=np.float32) for rna in rnas]

    monkeypatch.setattr(predictor, "read", probabilities)
    short = [Rna(f"s{k}", "A" * 30) for k in range(8)]
    list(run_pipeline(predictor, [*short, Rna("long", "A" * 90)], Cores(0, 2)))
    assert together.is_set()
    assert max(map(len, beside)) == 2
    assert [90] in beside
    assert not any(len(sizes) > 1 and 90 in sizes for sizes in beside)


def test_workers_are_started_once(predictor, monkeypatch):
    started = []

    class Pool(ProcessPoolExecutor):
        def __init__(self, *arguments):
            started.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(workers, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(pipeline, "AHEAD", 4)
    assert len(list(run_pipeline(predictor, draw(20), Cores(1)))) == 20
    assert len(started) == 1


def test_workers_end_with_an_error_on_the_way(predictor, monkeypatch):
    """What is no exception of one RNA, as Ctrl-C, goes through; nothing of it is held."""

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(predictor, "decode", fail)
    others = multiprocessing.active_children()
    with pytest.raises(KeyboardInterrupt) as caught:
        list(run_pipeline(predictor, draw(20), Cores(1)))
    assert multiprocessing.active_children() == others
    assert caught.type is KeyboardInterrupt


MEMORY = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "b: memory ran out; expected a shorter RNA"),
        (RuntimeError(MEMORY), "b: memory ran out; expected a shorter RNA"),
        (ValueError("odd"), "b: unexpected ValueError: odd; please report it"),
        (RnassError("b: no"), "b: no"),
    ],
)
@pytest.mark.parametrize("stage", ["fold", "read", "decode"])
def test_an_error_at_any_stage_is_its_rnas_alone(predictor, monkeypatch, stage, error, message):
    def fail(rna):
        if rna == "GGC":
            raise error

    if stage == "fold":
        real = FoldInput.ensemble
        monkeypatch.setattr(FoldInput, "ensemble", lambda one, name: fail(one.bases) or real(one, name))
        message = "b: ViennaRNA: " if message != "b: no" else "b: b: no"
    elif stage == "read":
        read = predictor.read
        monkeypatch.setattr(
            predictor,
            "read",
            lambda rnas, *rest: [fail(rna.bases) for rna in rnas] and read(rnas, *rest),
        )
    else:
        decode = predictor.decode
        monkeypatch.setattr(
            predictor, "decode", lambda rna, *rest: fail(rna.bases) or decode(rna, *rest)
        )
    rows = in_order(predictor.predict([Rna("a", HAIRPIN), Rna("b", "GGC"), Rna("c", "GGGG")]))
    assert [row.prediction is None for row in rows] == [False, True, False]
    assert str(rows[1].error).startswith(message)


def test_a_batch_that_memory_is_short_for_is_halved(predictor, monkeypatch):
    """What the error of the whole held on to is free again before its halves are read."""
    sizes, alive, real = [], [], predictor.read

    class Map:
        """Of a whole batch."""

    def short(rnas, folded):
        sizes.append(len(rnas))
        whole = Map()
        alive.append(weakref.ref(whole))
        assert [one() for one in alive] == [None] * (len(alive) - 1) + [whole]
        if len(rnas) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return real(rnas, folded)

    monkeypatch.setattr(predictor, "read", short)
    rows = in_order(predictor.predict(draw(16)))
    assert sizes == [16, 8, 4, 4, 8, 4, 4]
    assert all(row.prediction for row in rows)


def test_input_is_read_as_it_is_needed(predictor):
    taken = itertools.count()
    endless = (Rna(str(next(taken)), HAIRPIN) for _ in itertools.count())
    outcomes = predictor.predict(endless)
    assert [next(outcomes).number for _ in range(3)] == [0, 1, 2]
    assert next(taken) <= 2 * pipeline.AHEAD + 1


def test_batches_are_bounded_and_of_like_length(predictor, monkeypatch):
    monkeypatch.setattr(pipeline, "_BATCH_SIZE", 4000)
    seen = []
    real = predictor.read
    monkeypatch.setattr(predictor, "read", lambda rnas, folded: seen.append(rnas) or real(rnas, folded))
    list(predictor.predict(draw(40, longest=90)))
    sizes = [[len(rna) for rna in rnas] for rnas in seen]
    assert sum(map(len, sizes)) == 40
    assert all(len(batch) == 1 or len(batch) * max(batch) ** 2 <= 4000 for batch in sizes)
    assert list(itertools.chain(*sizes)) == sorted(itertools.chain(*sizes))


def test_seconds_add_up_to_no_more_than_passed(predictor):
    began = module.time.monotonic()
    spent = sum(outcome.prediction.seconds for outcome in predictor.predict(draw(20)))
    assert 0 < spent <= module.time.monotonic() - began


def test_without_thermodynamics_the_map_differs_and_viennarna_is_still_reported(predictor):
    got = Predictor(predictor.model, thermodynamics=False)(HAIRPIN)
    assert abs(got.probabilities - predictor(HAIRPIN).probabilities).max() > 0.1
    assert got.thermodynamics.mfe == pytest.approx(RNA.fold(HAIRPIN)[1])
    assert got.thermodynamics.bpp == ()


def test_without_thermodynamics_the_log_odds_are_the_networks_alone(predictor):
    shared = tiny_model()
    shared.config = dataclasses.replace(shared.config, bpp_weight=0.4)
    alone, mixed = (Predictor(m, thermodynamics=False)(HAIRPIN) for m in (predictor.model, shared))
    np.testing.assert_array_equal(alone.probabilities, mixed.probabilities)
    assert abs(Predictor(shared)(HAIRPIN).probabilities - mixed.probabilities).max() > 0.1


def test_a_mixture_predicts_with_every_parameter_set_its_experts_read(predictor):
    one, two = tiny_model(), tiny_model(("langdon2018",))
    config = MixtureConfig(experts=(one.config, two.config), weights=(0.5, 0.5))
    mixture = Mixture(config, [one, two])
    maps = np.stack([base_pair_probabilities(HAIRPIN, name).dense() for name in config.parameter_sets])
    with torch.no_grad():
        expected = mixture.probabilities(collate([HAIRPIN], [maps], one.backbone.vocabulary))[0].numpy()
    got = Predictor(mixture)(HAIRPIN)
    assert got.dot_bracket == "((((....))))"
    np.testing.assert_array_equal(got.probabilities, one_partner(expected, HAIRPIN))


def test_the_baseline_has_mea_and_centroid(predictor):
    got = Predictor(predictor.model, baseline=True)(HAIRPIN).thermodynamics
    assert got.mea.dot_bracket == got.centroid.dot_bracket == "((((....))))"


def test_bfloat16_stays_close(predictor):
    fast = Predictor(predictor.model, precision="bfloat16")(HAIRPIN).probabilities
    assert fast.dtype == np.float32
    np.testing.assert_allclose(fast, predictor(HAIRPIN).probabilities, atol=0.05)


def test_bfloat16_of_the_shipped_weights_stays_close():
    """Their gate and the sums over a base's partners stay in single precision."""
    bases = "GGGCUAUUAGCUCAGUUGGUUAGAGCGCACCCCUGAUAAGGGUGAGGUCGCUGAUUCGAAUUCAGCAUAGCCCA"
    exact, fast = (load_predictor(precision=precision)(bases) for precision in ("float32", "bfloat16"))
    assert fast.structure == exact.structure
    assert fast.energy_share == pytest.approx(exact.energy_share, abs=0.01)
    np.testing.assert_allclose(fast.probabilities, exact.probabilities, atol=0.05)
    assert fast.probabilities.sum(1).max() <= 1 + 1e-6


def test_decoding_of_the_callers_choice(predictor):
    strict = Predictor(predictor.model, decoding=DecodingConfig(threshold=0.999999))
    assert strict(HAIRPIN).dot_bracket == "." * 12


def test_noncanonical_pairs_are_of_the_callers_choice(predictor):
    model = tiny_model()
    model.config = dataclasses.replace(model.config, one_partner=True)
    assert model.config.decoding.canonical
    strict, free = (Predictor(model, decoding=DecodingConfig(canonical=c)) for c in (True, False))
    bases = "GGGGAGAAAGCCCC"  # G6-A9 and A5-G10 are no canonical pairs
    assert strict(bases).probabilities[4, 9] == 0
    assert free(bases).probabilities[4, 9] > 0
    assert free(bases).probabilities.sum(1).max() <= 1 + 1e-6
    assert Predictor(model)(bases).probabilities.tobytes() == strict(bases).probabilities.tobytes()


@pytest.mark.parametrize(("bases", "message"), [("GGXCC", "'X' at base 3"), ("", "no bases")])
def test_letters_that_are_no_bases(predictor, bases, message):
    with pytest.raises(SequenceError, match=message):
        predictor(bases)


def test_too_long(predictor, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LENGTH", 12)
    long = Rna("long", HAIRPIN + "A")
    predictor = Predictor(predictor.model, windows=None)
    message = r"long: 13 bases; expected at most 12"
    with pytest.raises(SequenceError, match=message):
        predictor(long)
    outcomes = in_order(predictor.predict([Rna("a", HAIRPIN), long, Rna("b", "GGC"), long]))
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False, True]
    assert str(outcomes[1].error).startswith("long: 13 bases")
    assert [str(o.error)[:4] for o in predictor.predict([long])] == ["long"]


def test_an_rna_that_the_network_refuses_spoils_no_other(predictor, monkeypatch):
    real = predictor.read

    def refuse(rnas, folded):
        if "GGC" in [rna.bases for rna in rnas]:
            raise SequenceError("sequence: 3 tokens; expected at most 2")
        return real(rnas, folded)

    monkeypatch.setattr(predictor, "read", refuse)
    three = [Rna("a", HAIRPIN), Rna("b", "GGC"), Rna("c", "GGGG")]
    outcomes = in_order(predictor.predict(three))
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False]
    assert "expected at most 2" in str(outcomes[1].error)


def test_a_batch_that_does_not_fit_into_memory_is_done_one_by_one(predictor, monkeypatch):
    real = predictor.read

    def small(rnas, folded):
        if sum(map(len, rnas)) > 13:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return real(rnas, folded)

    monkeypatch.setattr(predictor, "read", small)
    three = [Rna("a", HAIRPIN), Rna("b", "G" * 14), Rna("c", HAIRPIN)]
    outcomes = in_order(predictor.predict(three))
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False]
    assert "b: memory ran out; expected a shorter RNA, fewer --threads" in str(outcomes[1].error)


def test_a_structure_that_cannot_be_decoded_spoils_no_other(predictor, monkeypatch):
    real = module.decode

    def refuse(probabilities, bases, decoding, **restraints):
        if bases == "GGC":
            raise RnassError("decoding: no")
        return real(probabilities, bases, decoding, **restraints)

    monkeypatch.setattr(module, "decode", refuse)
    outcomes = in_order(predictor.predict([Rna("a", "GGC"), Rna("b", HAIRPIN)]))
    assert [outcome.prediction is None for outcome in outcomes] == [True, False]


def test_weights_by_path(tmp_path):
    path = save_tiny_weights(tmp_path / "tiny.safetensors")
    got = load_predictor(path, device="cpu", decoding=DecodingConfig(threshold=0.3))
    assert got(HAIRPIN).dot_bracket == "((((....))))"
    assert got.decoding.threshold == 0.3
    with pytest.raises(CheckpointError, match="no-such"):
        load_predictor(tmp_path / "no-such.safetensors")


@pytest.fixture
def default_weights(tmp_path, monkeypatch):
    """Tiny weights in the place of the default ones; gives a list that grows with each loading."""
    path = save_tiny_weights(tmp_path / "rnass-base.safetensors")
    shutil.copy(path, tmp_path / "rnass-other.safetensors")
    monkeypatch.setenv("RNASS_WEIGHTS", str(tmp_path))
    loaded = []
    real = module.load_pairing_model

    def load(path, backbone=None):
        loaded.append(path.name)
        return real(path, backbone)

    monkeypatch.setattr(module, "load_pairing_model", load)
    module._loaded.cache_clear()
    yield loaded
    module._loaded.cache_clear()


def test_the_convenience_loads_the_default_weights_once(default_weights):
    assert rnass.predict(HAIRPIN).dot_bracket == "((((....))))"
    assert rnass.predict(Rna("x", HAIRPIN)).rna.id == "x"
    assert default_weights == ["rnass-base.safetensors"]


def test_the_convenience_takes_the_options_of_a_predictor(default_weights):
    got = rnass.predict(HAIRPIN, weights="other", baseline=True, decoding=DecodingConfig(threshold=0.4))
    assert got.thermodynamics.mea is not None
    assert default_weights == ["rnass-other.safetensors"]
    named = "colour: no such option; expected some of weights, backbone, device, decoding, .*conditions"
    with pytest.raises(TypeError, match=named):
        rnass.predict(HAIRPIN, colour="red")


def test_a_predictor_by_its_public_name(default_weights):
    assert isinstance(rnass.load_predictor(device="cpu"), rnass.Predictor)


@pytest.fixture(params=[("turner2004", "andronescu2007"), ("rnass2026",)], ids="+".join)
def two_folds(model_config, request):
    """A predictor for which each RNA is folded twice: ViennaRNA's MFE is always by Turner 2004."""
    head = dataclasses.replace(model_config.head, parameter_sets=request.param)
    return Predictor(ContactModel(dataclasses.replace(model_config, head=head)))


@pytest.fixture
def shared():
    """Worker processes, lanes of the network, and the threads of each lane, of four threads."""
    torch.set_num_threads(4)

    def share(lengths, predictor):
        sets, device = (predictor.parameter_sets, predictor.device) if predictor else ((), None)
        with share_cores(lengths, sets, device) as cores:
            return cores.processes, cores.lanes, torch.get_num_threads()

    return share


def test_cores_are_shared_between_viennarna_and_the_network(predictor, shared):
    assert shared([100] * 20, predictor) == (0, 1, 4)
    assert shared([100] * 21, None) == (4, 1, 4)
    assert shared([100] * 21, predictor) == (4, 4, 1)
    torch.set_num_threads(1)
    assert shared([100] * 21, predictor) == (0, 1, 1)


def test_batches_on_a_gpu_fill_its_memory(monkeypatch):
    """Two lanes, so that one batch moves there while the other is computed."""
    torch.set_num_threads(4)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (16 * 10**9, 80 * 10**9))
    gpu = torch.device("cuda")
    for lengths, processes in (([100] * 30, 3), ([100, 900], 2), ([100], 0)):
        with share_cores(lengths, ("rnass2026", "turner2004"), gpu) as cores:
            assert cores.processes == processes
            assert cores.lanes * cores.batch_size <= 16e6  # 1,000 bytes for each pair of bases
            assert (cores.lanes == 2) == (len(lengths) > 20)
    with share_cores([100] * 30, (), gpu) as cores:
        assert cores.batch_size == 8_000_000


def test_few_rnas_that_take_long_count_as_many(predictor, shared):
    assert shared([500] * 2, predictor) == (0, 1, 4)
    assert shared([500] * 3, predictor) == (4, 4, 1)
    assert shared([500, 500, MAX_LENGTH + 1], predictor) == (0, 1, 4)


def test_parameter_sets_of_few_long_rnas_are_folded_beside_each_other(predictor, two_folds, shared):
    assert shared([100, 900], predictor) == (0, 1, 4)
    assert shared([100, 900], two_folds) == (2, 1, 4)
    assert shared([100, 700], two_folds) == shared([100, MAX_LENGTH + 1], two_folds) == (0, 1, 4)
    two_folds.thermodynamics = False  # one fold of each, for its energy
    assert shared([100, 900], two_folds) == (0, 1, 4)


def test_threads_are_given_back_after_an_error(predictor):
    torch.set_num_threads(4)
    with contextlib.suppress(RnassError), share_cores([100] * 21, (), predictor.device):
        assert torch.get_num_threads() == 1
        raise RnassError("no")
    assert torch.get_num_threads() == 4


def test_alternatives_with_the_default_weights():
    """Their map is decoded against the unpaired probability, which needs one partner for each base."""
    draw = random.Random(1)
    hammerhead = "CCUGUCACCGGAUGUGCUUUCCGGUCUGAUGAGUCCGUGAGGACGAAACAGG"
    many = ["".join(draw.choices("ACGU", k=70)) for _ in range(8)]
    for one in rnass.predict([hammerhead, *many]):
        found = one.alternatives(3)
        assert found[0].structure == one.structure
        assert len({other.structure for other in found}) == len(found)
