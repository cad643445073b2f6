using System.Text;
using CdnEdge.Caching;
using CsCheck;

namespace CdnEdge.Storage.Tests;

public class PurgeEpochsTests
{
    private const string Site = "example.org";

    private static readonly CacheKey Page = Responses.Key("/shop/shoes/1");

    /// <summary>What names the page, and what names something else.</summary>
    public static TheoryData<string, bool> Scopes => new()
    {
        { "everything", true },
        { $"site {Site}", true },
        { "site example.com", false },
        { $"url {Site} /shop/shoes/1", true },
        { $"url {Site} /shop/shoes/2", false },
        { $"prefix {Site} ", true },
        { $"prefix {Site} /shop", true },
        { $"prefix {Site} /shop/shoes", true },
        { $"prefix {Site} /shop/shoes/1", true },
        { $"prefix {Site} /shop/shoe", false },
        { $"prefix {Site} /shop/shoes/1/2", false },
        { "prefix example.com /shop", false },
        { "tag shoes", true },
        { "tag Shoes", false },
        { "tag hats", false },
        { $"group {Site} sale", true },
        { "group example.com sale", false },
        { $"group {Site} shoes", false },
    };

    [Theory]
    [MemberData(nameof(Scopes))]
    public void A_purge_concerns_what_it_names_if_that_began_before(string named, bool expected)
    {
        var epochs = new PurgeEpochs();
        epochs.AdvanceTo(10);
        Raise(epochs, named, PurgeMode.Hard, 20);
        epochs.AdvanceTo(20);

        Assert.Equal(expected ? PurgeVerdict.Gone : PurgeVerdict.Valid, Judge(epochs, 10));
        Assert.Equal(PurgeVerdict.Valid, Judge(epochs, epochs.Now));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public void A_soft_purge_makes_it_stale(string named, bool expected)
    {
        var epochs = new PurgeEpochs();
        Raise(epochs, named, PurgeMode.Soft, 20);

        Assert.Equal(expected ? PurgeVerdict.Stale : PurgeVerdict.Valid, epochs.Judge(Page, Tags(), 10, out var softEpoch));
        Assert.Equal(expected ? 20 : 0, softEpoch);
    }

    /// <summary>Merging by maximum: the verdict depends on which purges came, not on when or how often.</summary>
    [Fact]
    public void Order_and_repetition_make_no_difference() => Gen
        .Select(Gen.OneOfConst([.. Scopes.Select(row => row.Data.Item1)]), Gen.Enum<PurgeMode>(), Gen.Long[1, 30])
        .Array[0, 8]
        .SelectMany(purges => Gen.Select(Gen.Const(purges), Gen.Shuffle(purges.Concat(purges).ToArray()), Gen.Long[0, 31]))
        .Sample((purges, replayed, began) =>
        {
            var (once, twice) = (new PurgeEpochs(), new PurgeEpochs());
            foreach (var (named, mode, at) in purges)
                Raise(once, named, mode, at);
            foreach (var (named, mode, at) in replayed)
                Raise(twice, named, mode, at);

            return Judge(once, began) == Judge(twice, began);
        });

    [Fact]
    public void The_moment_never_goes_back()
    {
        var epochs = new PurgeEpochs();
        epochs.AdvanceTo(20);
        epochs.AdvanceTo(10);
        Assert.Equal(20, epochs.Now);

        Assert.Equal(21, epochs.RaiseNow(PurgeScope.Everything, PurgeMode.Hard));
        Assert.Equal(21, epochs.Now);
    }

    [Fact]
    public void What_is_not_trusted_any_more_is_stale_but_not_gone()
    {
        var epochs = new PurgeEpochs();
        epochs.Distrust(20);
        epochs.Distrust(15);

        Assert.Equal(PurgeVerdict.Stale, epochs.Judge(Page, Tags(), 19, out var softEpoch));
        Assert.Equal(20, softEpoch);
        Assert.Equal(PurgeVerdict.Valid, Judge(epochs, 20));
    }

    [Fact]
    public void Purges_are_forgotten_by_taking_whatever_is_too_old_for_purged()
    {
        var epochs = new PurgeEpochs();
        Raise(epochs, "tag shoes", PurgeMode.Hard, 5);
        for (var i = 0; i <= 3 * PurgeEpochs.GenerationSize; i++)
            epochs.Raise(PurgeScope.OfTag($"tag {i}"), PurgeMode.Hard, 10 + i);

        Assert.Equal(PurgeVerdict.Gone, Judge(epochs, 4));
        Assert.Equal(PurgeVerdict.Valid, Judge(epochs, 10 + 3 * PurgeEpochs.GenerationSize));
    }

    [Fact]
    public async Task None_is_lost_while_many_are_raised_at_once()
    {
        var epochs = new PurgeEpochs();
        const int Each = PurgeEpochs.GenerationSize / 2;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                var at = ((long)i * 4) + worker + 1;
                var tag = $"{worker} {i}";
                epochs.Raise(PurgeScope.OfTag(tag), PurgeMode.Hard, at);
                if (epochs.Judge(Page, SurrogateTags.Of([tag], []), at - 1, out _) != PurgeVerdict.Gone)
                    throw new InvalidOperationException($"The purge of '{tag}' is lost.");
            }
        })));

        Assert.Equal(4L * Each, epochs.Version);
    }

    [Theory]
    [InlineData("1732550000000-0")]
    [InlineData("0-1")]
    [InlineData("1732550000000-1048575")]
    public void A_moment_is_written_and_read_as_a_stream_id(string id)
    {
        Assert.True(PurgeMoment.TryParse(id, out var moment));
        Assert.Equal(id, PurgeMoment.Format(moment));
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("-1-0")]
    [InlineData("1-1048576")]
    [InlineData("99999999999999999-0")]
    public void What_is_no_stream_id_is_not_read(string id) => Assert.False(PurgeMoment.TryParse(id, out _));

    private static SurrogateTags Tags() => SurrogateTags.Of(["shoes", "new"], ["sale"]);

    private static PurgeVerdict Judge(PurgeEpochs epochs, long began) => epochs.Judge(Page, Tags(), began, out _);

    private static void Raise(PurgeEpochs epochs, string named, PurgeMode mode, long at)
    {
        var words = named.Split(' ');
        switch (words[0])
        {
            case "everything":
                epochs.Raise(PurgeScope.Everything, mode, at);
                break;
            case "site":
                epochs.Raise(PurgeScope.OfSite(Bytes(words[1])), mode, at);
                break;
            case "url":
                epochs.Raise(PurgeScope.OfUrl(Responses.Key(words[2]).Bytes), mode, at);
                break;
            case "prefix":
                epochs.RaisePrefix([.. Bytes(words[1]), CacheKey.Separator, .. Bytes(words[2])], mode, at);
                break;
            case "tag":
                epochs.Raise(PurgeScope.OfTag(words[1]), mode, at);
                break;
            case "group":
                epochs.Raise(PurgeScope.OfGroup(Bytes(words[1]), words[2]), mode, at);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(named), named, "No scope.");
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
