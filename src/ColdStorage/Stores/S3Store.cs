using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Objects in an S3-compatible store, through AWSSDK.S3.</summary>
/// <remarks>
/// It tries each request once: <see cref="PatientStore"/> repeats. Only what every such service has is used: path style, plain bodies, multipart by single calls, deletion key by key.
/// </remarks>
public sealed class S3Store : IObjectStore
{
    private readonly AmazonS3Client _client;
    private readonly S3StoreOptions _options;

    /// <summary>Makes a client; nothing is asked yet.</summary>
    public S3Store(S3StoreOptions options)
    {
        _options = options;
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle,
            AuthenticationRegion = options.Region,
            MaxErrorRetry = 0,
            Timeout = Timeout.InfiniteTimeSpan, // whoever asks has a limit of his own
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED, // ranges have none, and every format here has its own
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
        }
        else
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        }

        _client = options.AccessKey is { } accessKey
            ? new AmazonS3Client(new BasicAWSCredentials(accessKey, options.SecretKey), config)
            : new AmazonS3Client(config);
    }

    /// <inheritdoc/>
    public string Description => $"bucket '{_options.Bucket}' at {_options.Endpoint?.ToString() ?? "Amazon S3"}";

    /// <inheritdoc/>
    public async Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default)
    {
        var key = KeyOf(name);
        if (!_options.ConditionalPut && await FindAsync(name, cancellationToken) is not null)
        {
            return false;
        }

        try
        {
            return await RunAsync(name, "store", async () =>
            {
                if (parts.Sum(static part => (long)part.Length) > _options.PartBytes)
                {
                    await PutInPartsAsync(key, parts, cancellationToken);
                }
                else
                {
                    await PutWholeAsync(key, parts, isConditional: _options.ConditionalPut, cancellationToken);
                }

                return true;
            });
        }
        catch (ObjectStoreException e) when (e.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.PreconditionFailed })
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => RunAsync(name, "replace", async () =>
    {
        await PutWholeAsync(KeyOf(name), [content], isConditional: false, cancellationToken);
        return true;
    });

    /// <inheritdoc/>
    public Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default) => RunAsync(name, "read", async () =>
    {
        if (target.IsEmpty)
        {
            return true;
        }

        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = KeyOf(name), ByteRange = new ByteRange(offset, offset + target.Length - 1) };
        using var response = await _client.GetObjectAsync(request, cancellationToken);
        var read = await response.ResponseStream.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellationToken);
        return read == target.Length ? true
            : throw new ObjectDamagedException(name, $"{read} bytes came from offset {offset} on; {target.Length} were wanted");
    });

    /// <inheritdoc/>
    public async Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        try
        {
            return await RunAsync(name, "find", async () =>
            {
                var request = new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = KeyOf(name) };
                var found = await _client.GetObjectMetadataAsync(request, cancellationToken);
                return new StoredObject(name, found.ContentLength, ToUtc(found.LastModified));
            });
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, string after = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ObjectName.CheckPrefix(prefix);
        var request = new ListObjectsV2Request
        {
            BucketName = _options.Bucket, Prefix = _options.Prefix + prefix, StartAfter = after.Length > 0 ? _options.Prefix + after : null,
        };
        ListObjectsV2Response page;
        do
        {
            page = await RunAsync(prefix + "*", "list", async () => await _client.ListObjectsV2Async(request, cancellationToken));
            foreach (var item in page.S3Objects ?? [])
            {
                yield return new StoredObject(item.Key[_options.Prefix.Length..], item.Size ?? 0, ToUtc(item.LastModified));
            }

            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) => RunAsync(name, "delete", async () =>
    {
        await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _options.Bucket, Key = KeyOf(name) }, cancellationToken);
        return true;
    });

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task PutWholeAsync(string key, IReadOnlyList<ReadOnlyMemory<byte>> parts, bool isConditional, CancellationToken cancellationToken)
    {
        using var body = new PartsStream(parts);
        var request = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            InputStream = body,
            AutoCloseStream = false,
            UseChunkEncoding = _options.ChunkEncoding,
            IfNoneMatch = isConditional ? "*" : null,
        };
        if (Encryption is { } method)
        {
            request.ServerSideEncryptionMethod = method;
            request.ServerSideEncryptionKeyManagementServiceKeyId = EncryptionKey;
        }

        await _client.PutObjectAsync(request, cancellationToken);
    }

    private async Task PutInPartsAsync(string key, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken)
    {
        var begin = new InitiateMultipartUploadRequest { BucketName = _options.Bucket, Key = key };
        if (Encryption is { } method)
        {
            begin.ServerSideEncryptionMethod = method;
            begin.ServerSideEncryptionKeyManagementServiceKeyId = EncryptionKey;
        }

        var upload = (await _client.InitiateMultipartUploadAsync(begin, cancellationToken)).UploadId;
        try
        {
            var complete = new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload, PartETags = [] };
            using var body = new PartsStream(parts);
            for (var number = 1; body.Position < body.Length; number++)
            {
                using var slice = new PartsStream(body.Take(_options.PartBytes));
                var part = await _client.UploadPartAsync(
                    new UploadPartRequest
                    {
                        BucketName = _options.Bucket,
                        Key = key,
                        UploadId = upload,
                        PartNumber = number,
                        PartSize = slice.Length,
                        InputStream = slice,
                        UseChunkEncoding = _options.ChunkEncoding,
                    },
                    cancellationToken);
                complete.PartETags.Add(new PartETag(number, part.ETag));
            }

            await _client.CompleteMultipartUploadAsync(complete, cancellationToken);
        }
        catch
        {
            // The parts would be kept and paid for until somebody looks.
            var abort = new AbortMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload };
            await _client.AbortMultipartUploadAsync(abort, CancellationToken.None).ContinueWith(static _ => { }, TaskScheduler.Default);
            throw;
        }
    }

    private ServerSideEncryptionMethod? Encryption => _options.Encryption.Length > 0 ? new ServerSideEncryptionMethod(_options.Encryption) : null;

    private string? EncryptionKey => _options.EncryptionKey.Length > 0 ? _options.EncryptionKey : null;

    private string KeyOf(string name)
    {
        ObjectName.Check(name);
        return _options.Prefix + name;
    }

    private static DateTimeOffset ToUtc(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.MaxValue; // unknown: never old enough to be removed

    private async Task<T> RunAsync<T>(string name, string doing, Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode is not "NoSuchBucket")
        {
            throw new ObjectMissingException(name, Description);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw new ObjectDamagedException(name, "it ends before the bytes that were wanted");
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or (IOException and not ObjectStoreException))
        {
            throw new ObjectStoreException($"Could not {doing} '{name}' in {Description}: {e.Message}", IsTransient(e), e);
        }
    }

    private static bool IsTransient(Exception e) => e is not AmazonServiceException service || (int)service.StatusCode is 0 or 408 or 429 or >= 500;
}
