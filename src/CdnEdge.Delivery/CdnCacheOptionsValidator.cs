using CdnEdge.Delivery.Configuration;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery;

/// <summary>Refuses options with mistakes when an application starts, naming all of them.</summary>
internal sealed class CdnCacheOptionsValidator : IValidateOptions<CdnCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CdnCacheOptions options)
    {
        var errors = CdnCacheOptionsValidation.Errors("CdnEdge", options, MemoryBound.Available).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
