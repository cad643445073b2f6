using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Configuration;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery;

/// <summary>Refuses options with mistakes when an application starts, naming all of them.</summary>
internal sealed class CdnCacheOptionsValidator(CompressionProviders providers) : IValidateOptions<CdnCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CdnCacheOptions options)
    {
        var errors = CdnCacheOptionsValidation.Errors("CdnEdge", options, MemoryBound.Available, providers).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
