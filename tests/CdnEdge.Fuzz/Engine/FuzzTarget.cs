namespace CdnEdge.Fuzz.Engine;

/// <summary>A parser to be fuzzed, and what is promised of it.</summary>
/// <param name="Name">Its name, and that of its folder in <c>Corpus/</c>.</param>
/// <param name="Run">
/// Parses an input and checks what came of it. Returns the outcome in a few words' worth of bits: inputs with one not seen before
/// become parents of others. Whatever it throws is a finding; exceptions that the parser documents are caught in here.
/// </param>
internal sealed record FuzzTarget(string Name, Func<byte[], int> Run)
{
    /// <summary>Pieces of valid inputs, which mutations put in.</summary>
    internal IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Inputs that code makes (records of this very version), beside those of the corpus.</summary>
    internal Func<IEnumerable<byte[]>> Seeds { get; init; } = static () => [];

    /// <summary>Mutated inputs in the short form.</summary>
    internal int Inputs { get; init; } = 2500;

    /// <summary>Longest mutated input in bytes; repetitions are longer.</summary>
    internal int MaxLength { get; init; } = 4096;

    /// <summary>Bytes that may be allocated whatever the input.</summary>
    internal long FreeBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes that may be allocated for each byte of the input.</summary>
    internal int BytesPerByte { get; init; } = 100;

    /// <summary>Whether the cost grows with the input's length and no faster: false only where strangers can't reach it.</summary>
    internal bool GrowsLinearly { get; init; } = true;

    /// <summary>Bytes that an input of this length may allocate.</summary>
    internal long Allowance(int length) => FreeBytes + (long)BytesPerByte * length;

    public override string ToString() => Name;
}
