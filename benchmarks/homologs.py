"""Align labelled RNAs to the families that they belong to, for benchmarks/relatives.py.

    python benchmarks/homologs.py RECORDS SEEDS --out FILE [--identity 0.8] [--e-value 0.001] [--most 2]

SEEDS is a Stockholm file of families with their consensus structures. nhmmscan (HMMER) finds the family
of each record on its own strand; cmalign (Infernal) aligns the record to the family's rows, of which
those as identical to it as --identity or more are left out. FILE gets an alignment for each record that
belongs to a family, --most of a family, the record's row first.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rnass.files import write_text
from rnass.io.stockholm import Alignment, read_stockholm, write_stockholm
from rnass.prediction.relatives import AlignedRows
from rnass.preparation.covariance import build
from rnass.preparation.infernal import run_infernal
from rnass.programs import run_program
from rnass.training.records import Example, read_examples


def main() -> None:
    """Write the alignments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records")
    parser.add_argument("seeds")
    parser.add_argument("--out", required=True)
    parser.add_argument("--identity", type=float, default=0.8)
    parser.add_argument("--e-value", type=float, default=1e-3)
    parser.add_argument("--most", type=int, default=2, help="records of a family")
    arguments = parser.parse_args()
    examples = [one for one in read_examples([arguments.records]) if "N" not in one.bases]
    seeds = {one.accession: one for one in read_stockholm(arguments.seeds)}
    found: list[Alignment] = []
    with TemporaryDirectory() as folder:
        families = families_of(examples, [*seeds.values()], arguments.e_value, Path(folder))
        for example, family in families:
            if sum(one.accession == family for one in found) == arguments.most:
                continue
            rows = aligned(example, seeds[family], Path(folder))
            identities = AlignedRows(tuple(rows), tuple(rows.values())).identities[0]
            kept = {
                name: text
                for (name, text), identity in zip(rows.items(), identities, strict=True)
                if name == example.id or identity < arguments.identity
            }
            if len(kept) > 1:
                found.append(Alignment(family, example.id, kept))
    write_stockholm(Path(arguments.out), found)
    print(f"{len(examples)} records, {len(families)} in a family, {len(found)} with relatives")


def families_of(
    examples: Sequence[Example], seeds: Sequence[Alignment], e_value: float, folder: Path
) -> list[tuple[Example, str]]:
    """Each record that belongs to a family, with the accession of the best one."""
    models, table, fasta = folder / "all.hmm", folder / "hits.tbl", folder / "records.fa"
    # hmmbuild names a model as its alignment is named
    named = [Alignment("", one.accession, one.rows) for one in seeds]
    write_stockholm(folder / "seeds.sto", named)
    write_text(fasta, "".join(f">{k}\n{one.bases}\n" for k, one in enumerate(examples)))
    run_program(["hmmbuild", "--rna", models.name, "seeds.sto"], folder, "models")
    run_program(["hmmpress", "-f", models.name], folder, "models")
    options = ["--watson", "-E", str(e_value), "--tblout", table.name]
    run_program(["nhmmscan", *options, models.name, fasta.name], folder, "hits")
    best: dict[int, tuple[float, str]] = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            cells = line.split()
            hit = float(cells[12]), cells[0]
            best[int(cells[2])] = min(hit, best.get(int(cells[2]), hit))
    return [(examples[k], family) for k, (_, family) in sorted(best.items())]


def aligned(example: Example, seed: Alignment, folder: Path) -> dict[str, str]:
    """The record's row and those of the family, of equal length."""
    model = build(seed, folder)
    write_text(folder / "record.fa", f">record\n{example.bases}\n")
    options = f"--mapali seed.sto -o aligned.sto {model.path.name} record.fa"
    run_infernal(["cmalign", *options.split()], folder, "a family that it can align to")
    (together,) = read_stockholm(folder / "aligned.sto")
    others = {name: text for name, text in together.rows.items() if name != "record"}
    return {example.id: together.rows["record"], **others}


if __name__ == "__main__":
    main()
