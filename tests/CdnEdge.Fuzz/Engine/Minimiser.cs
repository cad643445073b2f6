namespace CdnEdge.Fuzz.Engine;

/// <summary>Makes a failing input smaller for as long as it fails in the same way.</summary>
internal static class Minimiser
{
    private const int MostTrials = 2000;

    /// <param name="input">It fails.</param>
    /// <param name="fails">Whether another one fails in the same way.</param>
    internal static byte[] Minimise(byte[] input, Func<byte[], bool> fails)
    {
        var trials = 0;
        bool Fails(byte[] candidate) => trials++ < MostTrials && fails(candidate);

        // Without ever smaller runs of it, until nothing can be left out.
        for (var run = Math.Max(1, input.Length / 2); run >= 1; run /= 2)
        {
            for (var at = 0; at < input.Length;)
            {
                byte[] without = [.. input.AsSpan(0, at), .. input.AsSpan(Math.Min(input.Length, at + run))];
                if (Fails(without))
                    input = without;
                else
                    at += run;
            }
        }

        // What is left, plain where it makes no difference.
        for (var at = 0; at < input.Length; at++)
        {
            byte[] plain = [.. input];
            plain[at] = (byte)'a';
            if (input[at] != 'a' && Fails(plain))
                input = plain;
        }

        return input;
    }
}
