using CdnEdge.Control;
using CdnEdge.Security;
using Microsoft.Extensions.Configuration.Memory;

namespace CdnEdge.Configuration;

/// <summary>
/// The configuration that is in force. Only a valid one gets in, whole, and its reload token fires then: YARP and the
/// options read from here, so that neither ever sees a file that is half written or wrong.
/// </summary>
internal sealed class ValidatedConfiguration : IDisposable
{
    private readonly Content _content = new();
    private readonly ConfigurationRoot _root;

    internal ValidatedConfiguration(ReviewedConfiguration first)
    {
        _content.Replace(first);
        Admin = new AdminInForce(first.Admin);
        Sites = new SitesInForce(first.Sites);
        _root = new ConfigurationRoot([_content]);
    }

    internal IConfiguration Root => _root;

    /// <summary>Who may call the admin API, by this configuration.</summary>
    internal AdminInForce Admin { get; }

    /// <summary>The sites, by this configuration.</summary>
    internal SitesInForce Sites { get; }

    /// <exception cref="ArgumentException">It has mistakes.</exception>
    internal void Apply(ReviewedConfiguration reviewed)
    {
        _content.Replace(reviewed);
        Admin.Apply(reviewed.Admin);
        Sites.Apply(reviewed.Sites);
        _content.Announce();
    }

    public void Dispose() => _root.Dispose();

    private sealed class Content() : MemoryConfigurationProvider(new MemoryConfigurationSource())
    {
        internal void Replace(ReviewedConfiguration reviewed)
        {
            if (!reviewed.IsValid)
                throw new ArgumentException("Only a valid configuration is put in force.", nameof(reviewed));
            Data = new Dictionary<string, string?>(reviewed.Values, StringComparer.OrdinalIgnoreCase);
        }

        internal void Announce() => OnReload();
    }
}
