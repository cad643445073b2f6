using System.Text;
using CdnEdge.Fuzz.Engine;

namespace CdnEdge.Fuzz;

/// <summary>Whether the harness would say so: targets with one fault each.</summary>
public class HarnessTests
{
    private const int Seed = 1;
    private static readonly FuzzLimit Short = new(2000, null);

    [Fact]
    public void What_throws_is_told_with_the_smallest_input()
    {
        var report = FuzzRun.Of(Target(static input => input.AsSpan().IndexOf("x="u8) is >= 0 and var at && input.AsSpan(at).Contains((byte)'"') ? throw new FormatException("odd") : 0, "x=", "\""), Seed, Short);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(FindingKind.Threw, finding.Kind);
        Assert.Equal("x=\"", Encoding.Latin1.GetString(finding.Input));
        Assert.Contains("FormatException: odd", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_claim_that_does_not_hold_is_told_in_its_own_words()
    {
        var report = FuzzRun.Of(Target(static input =>
        {
            Claim.Holds(input.Length < 40);
            return 0;
        }), Seed, Short);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(40, finding.Input.Length);
        Assert.Contains("doesn't hold: input.Length < 40", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_end_is_told_and_left_behind()
    {
        using var end = new ManualResetEventSlim();
        var report = FuzzRun.Of(Target(input =>
        {
            if (input.Length > 10)
                end.Wait();
            return 0;
        }), Seed, Short, TimeSpan.FromSeconds(0.5));
        end.Set();

        var finding = Assert.Single(report.Findings);
        Assert.Equal(FindingKind.Hung, finding.Kind);
        Assert.True(finding.Input.Length > 10);
    }

    [Fact]
    public void What_believes_a_length_is_told()
    {
        var report = FuzzRun.Of(Target(static input => input.Length >= 4 ? new byte[BitConverter.ToUInt16(input) * 100].Length & 1 : 0), Seed, Short);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(FindingKind.Allocated, finding.Kind);
        Assert.Equal(4, finding.Input.Length);
    }

    [Fact]
    public void What_costs_the_square_of_its_input_is_told_with_what_is_repeated()
    {
        var report = FuzzRun.Of(Target(static input => Square(input), "\""), Seed, Short);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(FindingKind.Superlinear, finding.Kind);
        Assert.Contains((byte)'"', finding.Repetition!.Of(1000));
        Assert.Equal(finding.Repetition.Of(1000), Repetition.Read(finding.Repetition.ToFile()).Of(1000));
    }

    [Fact]
    public void What_costs_as_much_as_its_input_is_long_passes()
    {
        // Costly enough to be measured at all.
        var report = FuzzRun.Of(Target(static input =>
        {
            var sum = 0;
            for (var times = 0; times < 200; times++)
            {
                foreach (var b in input)
                    sum = (sum * 31) + b;
            }

            return sum & 1;
        }), Seed, new FuzzLimit(200, null) { InputsPerRepetition = 20 });

        Assert.Empty(report.Findings);
    }

    [Fact]
    public void The_same_seed_makes_the_same_inputs()
    {
        var (one, other) = (new List<string>(), new List<string>());
        foreach (var inputs in new[] { one, other })
        {
            var mutator = new Mutator(new Random(7), ["word"], 200);
            for (var i = 0; i < 500; i++)
                inputs.Add(Convert.ToHexString(mutator.Mutate(["max-age=60"u8.ToArray(), "a, b"u8.ToArray()])));
        }

        Assert.Equal(one, other);
        Assert.True(one.Distinct().Count() > 400);
        Assert.All(one, static input => Assert.True(input.Length <= 400));
    }

    [Fact]
    public void What_is_kept_is_tried_first()
    {
        // Nothing is mutated: what is found is in the corpus.
        var seen = new List<byte[]>();
        FuzzRun.Of(new FuzzTarget("range", input =>
        {
            seen.Add(input);
            return 0;
        }), Seed, new FuzzLimit(0, null));

        Assert.All(Corpus.Inputs("range"), kept => Assert.Contains(seen, input => input.AsSpan().SequenceEqual(kept)));
        Assert.All(Corpus.Repetitions("range"), kept => Assert.Contains(seen, input => input.AsSpan().SequenceEqual(kept.Of(Growth.Longest))));
    }

    private static FuzzTarget Target(Func<byte[], int> run, params string[] words) => new("no-such-folder", run) { Words = words };

    // Looks for a partner that isn't there, from every quotation mark again.
    private static int Square(byte[] input)
    {
        var steps = 0;
        for (var i = 0; i < input.Length; i++)
        {
            for (var j = i + 1; input[i] == '"' && j < input.Length; j++)
                steps += input[j] == 0xfe ? 2 : 1;
        }

        return steps & 1;
    }
}
