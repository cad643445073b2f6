using System.Runtime.CompilerServices;

namespace CdnEdge.Fuzz.Engine;

/// <summary>A property that doesn't hold for an input.</summary>
internal sealed class ClaimBrokenException(string claim) : Exception(claim);

/// <summary>What is claimed of every input.</summary>
internal static class Claim
{
    /// <exception cref="ClaimBrokenException">It doesn't hold; the message is its own text.</exception>
    internal static void Holds(bool claim, [CallerArgumentExpression(nameof(claim))] string text = "")
    {
        if (!claim)
            throw new ClaimBrokenException($"doesn't hold: {text}");
    }
}
