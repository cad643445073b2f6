using System.Text.Json;
using CdnEdge.Storage;

namespace CdnEdge.Control;

/// <summary>A line of the file.</summary>
internal sealed record PurgeFileLine(string Id, string Previous, string Log, PurgeEntry Entry);

/// <summary>
/// The log of a node that has no Redis: a file of JSON lines, forced to the disk before anybody is answered. What is
/// appended at the same time is forced together. What a crash left of a last line is cut off: nobody was told that it had been accepted.
/// </summary>
/// <remarks>When the file has grown beyond its bound, the newer half is written to another file that takes its place.</remarks>
internal sealed class FilePurgeLog : IPurgeLog
{
    private readonly string _path;
    private readonly long _maxBytes;
    private readonly TimeProvider _time;
    private readonly AppendQueue _appends;
    private readonly Lock _gate = new();
    private readonly List<PurgeRecord> _records = [];
    private readonly Queue<int> _lengths = new();
    private readonly Wake _news = new();
    private readonly string _newName = Guid.NewGuid().ToString("n");
    private FileStream _file;
    private long _length;

    /// <param name="path">The file; made if it isn't there.</param>
    /// <param name="maxBytes">About how large it may grow.</param>
    /// <param name="time">The clock that positions come from; it may go back.</param>
    /// <exception cref="IOException">It can't be opened, or another process has it.</exception>
    internal FilePurgeLog(string path, long maxBytes, TimeProvider time)
    {
        _path = Path.GetFullPath(path);
        _maxBytes = maxBytes;
        _time = time;
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _file = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        Load();
        _appends = new AppendQueue(Write);
        _appends.Start();
    }

    public Task News => _news.Next;

    public TimeSpan Poll { get; } = TimeSpan.FromMilliseconds(50);

    private long Last => _records is [.., var last] ? last.Id : 0;

    public Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation) =>
        _appends.AppendAsync(entries, after, cancellation);

    public Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var first = FirstAfter(after);
            return Task.FromResult<IReadOnlyList<PurgeRecord>>(_records.GetRange(first, Math.Min(max, _records.Count - first)));
        }
    }

    // What traffic makes outdated isn't kept here: nobody shares this node's store, which ends with the process.
    public Task<IReadOnlyList<PurgeRecord>> ReadPurgesAsync(long after, int max, CancellationToken cancellation) => ReadAsync(after, max, cancellation);

    public Task<PurgeLogEnd> LastAsync(CancellationToken cancellation)
    {
        lock (_gate)
            return Task.FromResult(new PurgeLogEnd(Last, 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _appends.DisposeAsync();
        await _file.DisposeAsync();
    }

    private int FirstAfter(long position)
    {
        var (low, high) = (0, _records.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_records[middle].Id > position)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }

    // A line in the middle that can't be read stays, and whoever reads on notices by the chain of positions. What follows the
    // last one that can be read is cut off.
    private void Load()
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var position = 0;
        while (bytes.AsSpan(position).IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (Read(bytes.AsSpan(position, end)) is { } record && record.Id > Last)
            {
                _records.Add(record);
                _lengths.Enqueue((int)(position + end + 1 - _length));
                _length = position + end + 1;
            }

            position += end + 1;
        }

        if (_length < bytes.Length)
            CutOff();
        _file.Position = _length;
    }

    private static PurgeRecord? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, PurgeJson.Default.PurgeFileLine) is { Entry.IsWhole: true } read
                && PurgeMoment.TryParse(read.Id, out var id)
                && PurgeMoment.TryParse(read.Previous, out var previous)
                ? new PurgeRecord(id, previous, read.Log, read.Entry)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void CutOff()
    {
        _file.SetLength(_length);
        _file.Flush(flushToDisk: true);
    }

    private Task<IReadOnlyList<long>> Write(IReadOnlyList<PurgeEntry> entries, long after)
    {
        var records = new List<PurgeRecord>(entries.Count);
        try
        {
            var lengths = WriteLines(entries, after, records);
            lock (_gate)
            {
                _records.AddRange(records);
                lengths.ForEach(_lengths.Enqueue);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw new PurgeLogUnavailableException($"{_path} can't be written: {exception.Message}", exception);
        }

        _news.Ring();
        if (_length > _maxBytes)
            DropOlderHalf();
        return Task.FromResult<IReadOnlyList<long>>(records.ConvertAll(static record => record.Id));
    }

    private List<int> WriteLines(IReadOnlyList<PurgeEntry> entries, long after, List<PurgeRecord> records)
    {
        // A write that failed before may have left something behind the last whole line.
        if (_file.Length != _length)
            CutOff();
        _file.Position = _length;
        using var lines = new MemoryStream();
        var lengths = new List<int>();
        var last = Last;
        var log = _records is [.., { Log: var name }] ? name : _newName;
        foreach (var entry in entries)
        {
            var id = Math.Max(PurgeMoment.Of(_time.GetUtcNow().ToUnixTimeMilliseconds(), 0), Math.Max(last, after) + 1);
            var begin = lines.Position;
            JsonSerializer.Serialize(lines, new PurgeFileLine(PurgeMoment.Format(id), PurgeMoment.Format(last), log, entry), PurgeJson.Default.PurgeFileLine);
            lines.WriteByte((byte)'\n');
            lengths.Add((int)(lines.Position - begin));
            records.Add(new PurgeRecord(id, last, log, entry));
            last = id;
        }

        _file.Write(lines.GetBuffer().AsSpan(0, (int)lines.Length));
        _file.Flush(flushToDisk: true);
        _length += lines.Length;
        return lengths;
    }

    // The old file stays the log until the new one is whole, on the disk, and has its name.
    private void DropOlderHalf()
    {
        long dropped = 0;
        var count = 0;
        foreach (var length in _lengths)
        {
            if (_length - dropped <= _maxBytes / 2 || count == _lengths.Count - 1)
                break;
            dropped += length;
            count++;
        }

        if (count == 0)
            return;
        var aside = _path + ".new";
        try
        {
            var file = new FileStream(aside, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1);
            _file.Position = dropped;
            _file.CopyTo(file);
            file.Flush(flushToDisk: true);
            File.Move(aside, _path, overwrite: true);
            _file.Dispose();
            _file = file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return; // it goes on growing; the next append tries again
        }

        _length -= dropped;
        lock (_gate)
            _records.RemoveRange(0, count);
        for (; count > 0; count--)
            _lengths.Dequeue();
    }
}
