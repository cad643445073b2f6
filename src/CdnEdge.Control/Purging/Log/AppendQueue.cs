using System.Threading.Channels;

namespace CdnEdge.Control;

/// <summary>
/// Appends to a log one after another, and what comes while one is under way together: a burst costs few forced writes.
/// </summary>
/// <param name="write">Appends entries after a position; gives their positions.</param>
internal sealed class AppendQueue(Func<IReadOnlyList<PurgeEntry>, long, Task<IReadOnlyList<long>>> write) : IAsyncDisposable
{
    private const int MaxTogether = 500;

    private readonly Channel<Append> _waiting = Channel.CreateUnbounded<Append>(new UnboundedChannelOptions { SingleReader = true });
    private Task _writing = Task.CompletedTask;

    /// <summary>To be called once.</summary>
    internal void Start() => _writing = Task.Run(WriteAsync);

    /// <exception cref="PurgeLogUnavailableException">They couldn't be written.</exception>
    internal Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation)
    {
        var append = new Append(entries, after);
        return _waiting.Writer.TryWrite(append)
            ? append.Done.Task.WaitAsync(cancellation)
            : throw new PurgeLogUnavailableException("The log of purges is closed: this node is shutting down.");
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        var together = new List<Append>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            together.Clear();
            var count = 0;
            while (count < MaxTogether && _waiting.Reader.TryRead(out var append))
            {
                together.Add(append);
                count += append.Entries.Count;
            }

            await WriteAsync(together);
        }
    }

    private async Task WriteAsync(List<Append> together)
    {
        try
        {
            var ids = await write([.. together.SelectMany(static append => append.Entries)], together.Max(static append => append.After));
            var done = 0;
            foreach (var append in together)
            {
                append.Done.TrySetResult([.. ids.Skip(done).Take(append.Entries.Count)]);
                done += append.Entries.Count;
            }
        }
#pragma warning disable CA1031 // Whatever it is, who waits is told, and the next ones are tried.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            foreach (var append in together)
                append.Done.TrySetException(exception);
        }
    }

    private sealed record Append(IReadOnlyList<PurgeEntry> Entries, long After)
    {
        internal TaskCompletionSource<IReadOnlyList<long>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
