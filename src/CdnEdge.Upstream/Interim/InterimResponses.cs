namespace CdnEdge.Upstream.Interim;

/// <summary>
/// Ties a sink to the requests that are sent upstream from this flow of execution.
/// </summary>
/// <remarks>
/// SocketsHttpHandler writes a request to its connection in the asynchronous flow of the SendAsync that it belongs to,
/// however long it waited for the connection and whoever opened it. So the ambient value that the connection's stream
/// sees when it's written to is the value of the request being written, and what is read next answers that request.
/// </remarks>
internal static class InterimResponses
{
    private static readonly AsyncLocal<Scope?> Ambient = new();

    /// <summary>The scope of this flow, if any.</summary>
    internal static Scope? Current => Ambient.Value;

    /// <summary>
    /// From here to the disposal (in the same method: an ambient value doesn't flow back to a caller) the interim
    /// responses to what is sent upstream go to <paramref name="sink"/>; after the disposal none does, not even a late one.
    /// </summary>
    public static IDisposable Begin(IInterimResponseSink sink)
    {
        var scope = new Scope(sink, Ambient.Value);
        Ambient.Value = scope;
        return scope;
    }

    /// <summary>One <see cref="Begin"/>; compared by reference to tell requests apart.</summary>
    internal sealed class Scope(IInterimResponseSink sink, Scope? outer) : IDisposable
    {
        private volatile IInterimResponseSink? _sink = sink;

        /// <summary>The sink, or null when nobody listens any more.</summary>
        public IInterimResponseSink? Sink => _sink;

        public void Dispose()
        {
            _sink = null;
            if (ReferenceEquals(Ambient.Value, this)) Ambient.Value = outer;
        }
    }
}
