using System.Globalization;

namespace CdnEdge.Fuzz.Engine;

/// <summary>What the environment asks for.</summary>
internal static class FuzzSettings
{
    /// <summary>Seconds of the long form, all targets together; nothing: the short form.</summary>
    internal const string SecondsVariable = "CDNEDGE_FUZZ_SECONDS";

    /// <summary>A seed, to have a run's inputs again.</summary>
    internal const string SeedVariable = "CDNEDGE_FUZZ_SEED";

    // The short form is the same every time: a change that is tested by it has to answer for itself only.
    private const int ShortFormSeed = 5;

    internal static TimeSpan? Time { get; } = Number(SecondsVariable) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    internal static bool IsLong => Time is not null;

    internal static int Seed { get; } = Number(SeedVariable) ?? (IsLong ? Random.Shared.Next() : ShortFormSeed);

    /// <exception cref="FormatException">It's no number.</exception>
    private static int? Number(string variable)
    {
        var text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text))
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{variable}: '{text}' is not a whole number");
    }
}
