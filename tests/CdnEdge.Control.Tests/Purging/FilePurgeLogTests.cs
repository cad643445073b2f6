using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Control.Tests.Purging;

public sealed class FilePurgeLogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdnedge-log-");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    private string Path => System.IO.Path.Combine(_folder.FullName, "purges.log");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Wherever_a_crash_cuts_the_file_all_whole_lines_survive_and_it_goes_on()
    {
        await using (var log = Open())
            await AppendAsync(log, "a", "b", "c");
        var whole = await File.ReadAllBytesAsync(Path, TestContext.Current.CancellationToken);
        for (var length = 0; length < whole.Length; length++)
        {
            await File.WriteAllBytesAsync(Path, whole[..length], TestContext.Current.CancellationToken);
            var expected = ((string[])["a", "b", "c"])[..whole.AsSpan(0, length).Count((byte)'\n')];
            await using (var log = Open())
            {
                Assert.Equal(expected, await TagsAsync(log));
                await AppendAsync(log, "next");
            }

            await using var again = Open();
            Assert.Equal(expected.Append("next"), await TagsAsync(again));
            AssertChained(await again.ReadAsync(0, 100, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Positions_grow_even_if_the_clock_goes_back_and_beyond_the_callers_own()
    {
        await using var log = Open();
        var first = (await AppendAsync(log, "a"))[0];
        _time.AdjustTime(_time.GetUtcNow().AddDays(-1));
        var second = (await AppendAsync(log, "b"))[0];
        var third = (await log.AppendAsync([Entry("c")], second + 1_000_000_000, TestContext.Current.CancellationToken))[0];

        Assert.True(second > first);
        Assert.True(third > second + 1_000_000_000);
        AssertChained(await log.ReadAsync(0, 100, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_stays_within_its_bound_and_the_first_entry_left_tells_that_there_were_others()
    {
        await using (var log = Open(maxBytes: 64 << 10))
        {
            for (var i = 0; i < 50; i++)
                await AppendAsync(log, [.. Enumerable.Range(0, 20).Select(n => $"{i}-{n}")]);
        }

        Assert.InRange(new FileInfo(Path).Length, 1, (64 << 10) + 8000);
        await using var again = Open(maxBytes: 64 << 10);
        var records = await again.ReadAsync(0, 10_000, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, records[0].Previous);
        Assert.Equal("49-19", records[^1].Entry!.Request.Tags[0]);
        AssertChained(records);
    }

    [Fact]
    public async Task A_line_that_cannot_be_read_is_missed_not_fatal()
    {
        await using (var log = Open())
            await AppendAsync(log, "a", "b", "c");
        var lines = await File.ReadAllLinesAsync(Path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path, $"{lines[0]}\ngarbage\n{lines[2]}\n", TestContext.Current.CancellationToken);

        await using var again = Open();

        var records = await again.ReadAsync(0, 100, TestContext.Current.CancellationToken);
        Assert.Equal(["a", "c"], await TagsAsync(again));
        Assert.NotEqual(records[0].Id, records[1].Previous);
    }

    [Fact]
    public async Task A_log_that_another_process_has_is_not_opened()
    {
        await using var log = Open();

        Assert.Throws<IOException>(() => Open());
    }

    [Fact]
    public async Task Appending_from_everywhere_at_once_loses_and_repeats_nothing()
    {
        await using (var log = Open())
            await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => Task.Run(() => AppendAsync(log, $"{i}"))));

        await using var again = Open();
        var records = await again.ReadAsync(0, 20_000, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 10_000), records.Select(static record => int.Parse(record.Entry!.Request.Tags[0], null)).Order());
        AssertChained(records);
    }

    [Fact]
    public void Tags_and_URLs_survive_as_they_are() =>
        Gen.Select(Gen.Char['\u0001', '\u02ff'].Array[1, 40].Select(static chars => new string(chars)), Gen.Bool).Sample((text, soft) =>
        {
            var entry = new PurgeEntry { Origin = "a", Request = new PurgeRequest { Tags = [text], Urls = [text], Soft = soft } };
            var json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(entry, PurgeJson.Default.PurgeEntry);
            Assert.DoesNotContain((byte)'\n', json);
            var read = PurgeJson.ReadEntry(json);
            Assert.Equal(text, read!.Request.Tags[0]);
            Assert.Equal(text, read.Request.Urls[0]);
            Assert.Equal(soft, read.Request.Soft);
        });

    private static void AssertChained(IReadOnlyList<PurgeRecord> records)
    {
        for (var i = 1; i < records.Count; i++)
        {
            Assert.Equal(records[i - 1].Id, records[i].Previous);
            Assert.True(records[i].Id > records[i].Previous);
        }
    }

    private static PurgeEntry Entry(string tag) => new() { Origin = "here", Request = new PurgeRequest { Tags = [tag] } };

    private static Task<IReadOnlyList<long>> AppendAsync(FilePurgeLog log, params string[] tags) => log.AppendAsync([.. tags.Select(Entry)], 0, TestContext.Current.CancellationToken);

    private static async Task<string[]> TagsAsync(FilePurgeLog log) =>
        [.. (await log.ReadAsync(0, 1000, TestContext.Current.CancellationToken)).Select(static record => record.Entry!.Request.Tags[0])];

    private FilePurgeLog Open(long maxBytes = 64 << 20) => new(Path, maxBytes, _time);
}
