import pytest

from rnass.errors import InputError, SequenceError
from rnass.rna import BASES, Rna, clean_bases


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        ("ACGUN", "ACGUN"),
        ("acgun", "ACGUN"),
        ("ACGT", "ACGU"),
        ("acgt", "ACGU"),
        ("RYSWKMBDHVN", "N" * 11),  # the IUPAC codes that are not one base, NC-IUB 1984
        ("ryswkmbdhvn", "N" * 11),
    ],
)
def test_letters_that_are_accepted(text, bases):
    assert clean_bases(text) == bases


ACCEPTED = set("ACGUTNRYSWKMBDHV") | set("acgutnryswkmbdhv")


@pytest.mark.parametrize(
    "letter", [*sorted({chr(k) for k in range(33, 127)} - ACCEPTED), " ", "\t", "é", "\u0391"]
)
def test_every_other_letter_is_refused_with_its_place(letter):
    with pytest.raises(SequenceError) as caught:
        clean_bases(f"GGC{letter}A", "seqs.fa:3 (x)")
    assert str(caught.value) == (
        f"seqs.fa:3 (x): letter {letter!r} at base 4; expected A, C, G, U, T or an IUPAC code"
    )


def test_the_letter_is_shown_as_it_was_given():
    with pytest.raises(SequenceError, match="letter 'x' at base 1"):
        clean_bases("xX")


def test_no_bases():
    with pytest.raises(SequenceError, match="tRNA: no bases; expected at least one"):
        clean_bases("", "tRNA")


def test_sequence_from_text_splits_the_header():
    sequence = Rna.from_text("gcgT", " tRNA-Phe  yeast, 1EHZ ")
    assert sequence == Rna("tRNA-Phe", "GCGU", "tRNA-Phe  yeast, 1EHZ")
    assert len(sequence) == 4
    assert set(sequence.bases) <= set(BASES)


def test_an_empty_header_is_an_empty_id():
    assert Rna.from_text("A", "  ").id == ""


def test_two_strands():
    dimer = Rna.from_text("ggc&AUT", "d two of them")
    assert (dimer.bases, dimer.nick, dimer.text, len(dimer)) == ("GGCAUU", 3, "GGC&AUU", 6)
    assert dimer.mark("((.)).") == "((.&))."
    assert Rna.from_text(dimer.text, "d two of them") == dimer
    assert Rna("a", "GG").text == "GG"


@pytest.mark.parametrize("text", ["&GG", "GG&", "G&G&G", "G&&G"])
def test_strands_that_are_not_two(text):
    with pytest.raises(SequenceError, match="expected at most one '&', between two strands"):
        Rna.from_text(text, where="seqs.fa:2 (x)")
    with pytest.raises(SequenceError, match="letter '&'"):
        clean_bases(text)


def test_letters_are_read_wherever_an_rna_is_made():
    assert Rna("x", "ggtTRn").bases == "GGUUNN"
    with pytest.raises(SequenceError, match="x: letter 'X' at base 3"):
        Rna("x", "GGX")


@pytest.mark.parametrize("given", [b"ACGU", ("id", "ACGU"), 65, None])
def test_what_is_no_text_is_refused(given):
    with pytest.raises(SequenceError, match=f"{type(given).__name__}; expected the bases as a str"):
        Rna.from_text(given, where="sequence 1")
    with pytest.raises(SequenceError, match=f"x: {type(given).__name__}; expected the bases as a str"):
        Rna("x", given)


@pytest.mark.parametrize("nick", [-3, 0, 6, 99, 2.5])
def test_a_nick_leaves_each_strand_a_base(nick):
    with pytest.raises(SequenceError, match=f"x: nick {nick}; expected the first base of the second"):
        Rna("x", "ACGACG", nick=nick)
    assert Rna("x", "ACGACG", nick=5).strands == [(0, 5), (5, 6)]


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), "0.5", None])
def test_a_reactivity_is_a_number_or_missing(value):
    with pytest.raises(InputError, match=r"x: reactivity .* at base 2; expected a finite number"):
        Rna("x", "GGC", reactivities=(0.5, value, float("nan")))
    Rna("x", "GGC", reactivities=(0.5, 1, float("nan")))
