using System.Globalization;
using System.Net;
using System.Text;

namespace ReplicatedSqlite.Samples.Shop;

/// <summary>The only page: things to buy, and what was bought.</summary>
internal static class ShopPage
{
    public static string Render(long customer, IReadOnlyList<Product> products, QueryResult<Order> orders)
    {
        var page = new StringBuilder("<!doctype html><meta charset=utf-8><title>Shop</title><h1>Shop</h1><ul>");
        foreach (var product in products)
        {
            page.Append(CultureInfo.InvariantCulture, $"<li>{WebUtility.HtmlEncode(product.Name)}, {product.PriceCents / 100.0:0.00} ");
            page.Append(CultureInfo.InvariantCulture, $"<form method=post action=\"/orders?customer={customer}&amp;product={product.Id}\" style=\"display:inline\"><button>Order</button></form>");
        }

        page.Append(CultureInfo.InvariantCulture, $"</ul><h2>Orders of customer {customer}</h2><ol>");
        foreach (var order in orders)
            page.Append(CultureInfo.InvariantCulture, $"<li value={order.Id}>{WebUtility.HtmlEncode(order.Product)}, {WebUtility.HtmlEncode(order.PlacedAt)}");
        var served = orders.Served;
        return page.Append(
            CultureInfo.InvariantCulture, $"</ol><p><small>Read in {WebUtility.HtmlEncode(served.Region)}, after waiting {served.Wait.TotalMilliseconds:0} ms, at {orders.Bookmark}</small>").ToString();
    }
}
