using System.Globalization;
using System.Text;
using CdnEdge.Caching;

namespace CdnEdge.Upstream.Failures;

/// <summary>A destination that was asked in vain.</summary>
/// <param name="Cluster">Its cluster's id.</param>
/// <param name="Destination">Its id.</param>
/// <param name="Failure">What went wrong.</param>
/// <param name="ReceivedStatus">The status that it answered with, where that's what went wrong.</param>
internal sealed record FailedHop(string Cluster, string Destination, ProxyStatus Failure, int? ReceivedStatus = null)
{
    /// <summary>Its member of Proxy-Status (RFC 9209 §2): named by the operator's own names, never by its address.</summary>
    internal void AppendTo(StringBuilder field, string node)
    {
        StructuredField.AppendTokenOrString(field, node);
        field.Append("; error=").Append(Failure.Error).Append("; next-hop=");
        StructuredField.AppendTokenOrString(field, $"{Cluster}/{Destination}");
        if (ReceivedStatus is { } status)
            field.Append(CultureInfo.InvariantCulture, $"; received-status={status}");
        field.Append("; details=\"").Append(Failure.Details).Append('"');
    }
}
