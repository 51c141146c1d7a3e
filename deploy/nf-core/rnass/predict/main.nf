process RNASS_PREDICT {
    tag "$meta.id"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container "rnass:0.1.0"  // built from deploy/Dockerfile

    input:
    tuple val(meta), path(fasta)

    output:
    tuple val(meta), path("${prefix}/predictions.dbn"), emit: structures
    tuple val(meta), path("${prefix}/summary.tsv")    , emit: summary
    tuple val(meta), path("${prefix}")                , emit: results
    path "versions.yml"                               , emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix   = task.ext.prefix ?: "${meta.id}"
    """
    # status 1: some records are invalid; summary.tsv gives the reason
    rnass predict ${fasta} --out ${prefix} --threads ${task.cpus} --quiet ${args} || test \$? -eq 1

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        rnass: \$(rnass --version | sed 's/^rnass //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir ${prefix}
    touch ${prefix}/predictions.dbn ${prefix}/summary.tsv

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        rnass: \$(rnass --version | sed 's/^rnass //')
    END_VERSIONS
    """
}
