"""What lines of page furniture look like, in English and Chinese: pattern by pattern, with why.

A pattern is searched in a whole stripped line, in lower case for Latin letters; `^` and `$` are the ends of the line.
Every one is linear (Rust's regular expressions) and wants a whole phrase, not a word, because a wrong hit removes text.
"""

# kind → (pattern, why)
PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "cookies": (
        (r"^(this|our) (web)?site uses cookies", "the notice of European law"),
        (r"^(we|we and our partners) (use|store) .{0,40}cookies", "the same, in the first person"),
        (r"^by (continuing|using|browsing|clicking).{0,60}(cookies|cookie policy)", "consent by going on"),
        (r"^(accept|reject|allow|manage|decline)( all)?( necessary| optional)? cookies[.!]?$", "its buttons"),
        (r"^cookie (policy|settings|preferences|consent|notice)$", "its links"),
        ("(本网站|本網站|本站|我们|我們)(会|會)?使用.{0,10}(cookie|cookies)", "the notice in Chinese"),
        ("^(接受|拒绝|拒絕|管理)(所有|全部)?(的)? ?(cookie|cookies)$", "its buttons in Chinese"),
    ),
    "sharing": (
        (
            r"^(share|tweet|pin|like|follow us|e-?mail|print)( (this|it|on|via|to).{0,40})?[:|]?$",
            "buttons and their heads",
        ),
        (r"^share (this )?(article|story|post|page)\b.{0,40}$", "buttons"),
        (r"^(click|tap) to (share|print|e-?mail|tweet)\b", "WordPress sharing buttons"),
        (r"^follow us on (facebook|twitter|instagram|x|linkedin|youtube|weibo)", "links to accounts"),
        ("^(分享到|转发到|轉發到|分享至|一键分享|一鍵分享|微信扫一扫|扫一扫|掃一掃).{0,30}$", "sharing in Chinese"),
        ("^(关注|關注)(我们|我們|微信公众号|微信公眾號|官方微博).{0,30}$", "links to accounts in Chinese"),
    ),
    "script": (
        (r"(please )?(enable|turn on|activate) javascript\b", "shown where scripts do not run"),
        (r"javascript (must be|is|has been|needs to be) (enabled|disabled|turned)", "the same"),
        (r"^(your|this) browser (does not|doesn't) support", "shown to old browsers"),
        (r"^loading( \.\.\.|\.\.\.|…)$", "a page that was not finished"),
        ("(请|請)?(启用|啟用|开启|開啟|打开|打開).{0,6}javascript", "the same in Chinese"),
        ("(您的|你的)?(浏览器|瀏覽器)(不支持|不支援|版本过低|版本過低)", "the same in Chinese"),
    ),
    "copyright": (
        (r"^(copyright )?(©|\(c\)|&copy;) ?(copyright )?\d{4}.{0,120}$", "footer"),
        (r"^copyright.{0,40}\d{4}.{0,100}$", "footer"),
        (r"\ball rights reserved\.?$", "footer"),
        (r"^(powered by|designed by|theme by|proudly powered by) .{1,60}$", "footer"),
        ("(版权所有|版權所有|保留所有权利|保留所有權利|著作权归|著作權歸)", "footer in Chinese"),
        (
            "(京|沪|粤|浙|苏|津|渝|川|鲁|豫|鄂|湘|皖|闽|赣|冀|晋|辽|吉|黑|陕|桂|琼|滇|黔|蒙|甘|宁|新|藏|青)icp(备|证)",
            "licence number of sites in China",
        ),
        ("(公网安备|增值电信业务经营许可证|互联网新闻信息服务许可证)", "licences of sites in China"),
    ),
    "navigation": (
        (r"^(skip|jump) to (the )?(main )?(content|navigation|search|menu)$", "hidden link for screen readers"),
        (
            r"^(home|menu|search|log ?in|sign ?(in|up)|register|subscribe|contact( us)?|about( us)?|next|previous|back to top|read more|continue reading|show more|load more|view all|see also|related (articles|posts|stories)|leave a (comment|reply)|advertisements?|sponsored)[ .:»›>→]*$",
            "a line that is one link",
        ),
        (
            r"^(terms( of (use|service))?|privacy( policy)?|sitemap|faq|help|careers|advertise)([ |·•/&,]+(and )?(terms( of (use|service))?|privacy( policy)?|sitemap|faq|help|careers|advertise|contact( us)?|cookies?))*$",
            "links of a footer",
        ),
        (r"^(previous|next|older|newer) (article|post|page|story|entries).{0,80}$", "turning pages"),
        (
            "^(首页|首頁|上一页|上一頁|下一页|下一頁|上一篇|下一篇|返回顶部|返回頂部|返回首页|返回首頁|登录|登錄|登入|注册|註冊|搜索|搜尋|菜单|選單|更多|查看更多|阅读全文|閱讀全文|展开全文|展開全文|相关阅读|相關閱讀|相关文章|相關文章|热门推荐|熱門推薦|广告|廣告|网站地图|網站地圖|联系我们|聯繫我們|关于我们|關於我們|免责声明|免責聲明)[：:：>》]?.{0,2}$",
            "a line that is one link",
        ),
        (
            "^(上一篇|下一篇|上一页|下一页|相关阅读|責任編輯|责任编辑|编辑)[：:].{0,60}$",
            "turning pages, names under an article",
        ),
        ("^(当前位置|當前位置|您的位置|您現在的位置)[：:]?.{0,100}$", "where the page lies"),
    ),
}
