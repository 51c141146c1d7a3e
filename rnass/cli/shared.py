"""The options that several commands share, each once, as types of their parameters."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from rnass.cli.options import in_decoding, in_input, in_model, in_output, in_restraints, in_run


def _at_most_all_cores(threads: int) -> int:
    return min(threads, os.cpu_count() or 1)


Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="FASTA files, .gz too; - reads standard input.", show_default=False),
]
Sequence = Annotated[
    str | None, in_input("--sequence", help="One RNA as text, instead of or beside files.")
]
ResultsFolder = Annotated[Path, in_output("--out", "-o", help="Folder for the results.")]
OutFile = Annotated[Path | None, in_output("--out", "-o", help="File; default: the terminal.")]
Plot = Annotated[
    Literal["svg", "png", "pdf", "none"],
    in_output("--plot", help="Draw a figure of each record, in this format."),
]
Report = Annotated[bool, in_output("--report", help="Also report.html: tables and figures in one page.")]
Strict = Annotated[bool, in_run("--strict", help="Do nothing if any record is bad.")]
Overwrite = Annotated[bool, in_run("--overwrite", help="Replace what rnass wrote into --out before.")]
OverwriteFiles = Annotated[bool, in_output("--overwrite", help="Replace files that are there.")]
Resume = Annotated[bool, in_run("--resume", help="Do only what is missing in --out.")]
Weights = Annotated[
    str | None, in_model("--weights", help="Name or file of the weights; default: those shipped.")
]
BackboneOfWeights = Annotated[
    str | None,
    in_model(
        "--backbone", help="Path or name of the RNA language model, where the weights do not hold it."
    ),
]
BackboneOption = Annotated[
    str | None,
    in_model(
        "--backbone",
        help="RNA language model: a path, or a name of rnass backbones; default: rnass's own.",
    ),
]
Family = Annotated[
    str | None,
    in_model(
        "--family",
        help="Kind of language model: rna-fm, mrna-fm, rnabert, aido-rna or plantrna-fm; default: "
        "recognised from its files.",
    ),
]
UAs = Annotated[
    str | None,
    in_model(
        "--u-as", help="T or U: the token that a U is read as; default: recognised from its files."
    ),
]
Thermodynamics = Annotated[
    bool, in_model(help="Give the network ViennaRNA's base-pair probabilities, or do not.")
]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    in_model(
        "--device",
        help="Where the network runs; auto: on a CUDA GPU if there is one, else on the processor.",
    ),
]
Precision = Annotated[
    Literal["float32", "bfloat16"],
    in_model("--precision", help="Arithmetic of the network; bfloat16 is coarser, and faster on a GPU."),
]
Decoder = Annotated[
    Literal["matching", "threshknot", "greedy"] | None,
    in_decoding(
        "--decoder",
        help="How probabilities become pairs; matching is exact; default: as chosen with the weights.",
    ),
]
Threshold = Annotated[
    str,
    in_decoding(
        "--threshold",
        help="Pairing probability above which a pair counts, between 0 and 1; auto: as chosen with the "
        "weights.",
    ),
]
MinHelix = Annotated[
    int | None,
    in_decoding(
        "--min-helix",
        help="Fewest stacked pairs of a helix; default: as chosen with the weights.",
        min=1,
    ),
]
MaxOrder = Annotated[
    int | None,
    in_decoding(
        "--max-order",
        help="Highest pseudoknot order, 1 for simple pseudoknots, instead of --no-pseudoknots; default: no "
        "bound.",
        min=1,
    ),
]
MaxSpan = Annotated[
    int | None,
    in_decoding(
        "--max-span", help="Most bases that a pair spans, both ends counted; default: no bound.", min=1
    ),
]
NoPseudoknots = Annotated[bool, in_decoding("--no-pseudoknots", help="The best structure without any.")]
Noncanonical = Annotated[
    bool | None, in_decoding(help="Allow pairs other than A-U, G-C and G-U, or do not.")
]
Mix = Annotated[
    float | None,
    in_decoding(
        "--mix",
        help="Weight of ViennaRNA's log-odds in the map that is decoded: 0 is the network alone, 1 "
        "ViennaRNA alone; default: 0.1 with reactivities, else 0.",
        min=0,
        max=1,
    ),
]
ConstraintFile = Annotated[
    str | None,
    in_restraints(
        "--constraints",
        help="File or folder of bases that must or must not pair: ViennaRNA's lines of . x | < > ( ), "
        "or RNAstructure's CON.",
    ),
]
ShapeFile = Annotated[
    str | None,
    in_restraints(
        "--shape",
        help="File or folder of normalised SHAPE or DMS reactivities: .shape, .dat, .map or .rdat.",
    ),
]
NormalizeReactivities = Annotated[
    bool,
    in_restraints(
        "--normalize-reactivities",
        help="Normalise the reactivities of each RNA first, by the 2-8 % rule.",
    ),
]
ReactivityModifier = Annotated[
    Literal["1M7", "2A3", "DMS"] | None,
    in_restraints(
        "--modifier", help="Reagent of the reactivities; default: 1M7; of DMS only A and C report."
    ),
]
ShapeMethodOption = Annotated[
    Literal["deigan", "likelihood"],
    in_restraints(
        "--shape-method",
        help="Pseudo-energies by Deigan's formula, or by how likely a reactivity is of paired and of "
        "unpaired bases.",
    ),
]
Threads = Annotated[
    int,
    in_run(
        "--threads",
        help="Processor threads; 0: all cores, which are also the most. Fewer take less memory.",
        min=0,
        callback=_at_most_all_cores,
    ),
]
