"""The service's settings: one frozen object, built by the entry point and handed down."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Read from the environment (`ZHIAN_…`). Policy is not configuration: see `scoring/policy.yml`."""

    model_config = SettingsConfigDict(env_prefix="ZHIAN_", frozen=True)

    var: Path = Field(default=Path("var"), description="数据目录：数据库、上传文件、网页存档、模型")
    database_url: str = Field(default="", description="数据库地址；空则用数据目录下的 SQLite")
    host: str = Field(default="127.0.0.1", description="页面监听地址")
    port: int = Field(default=8420, description="页面监听端口")
    secret: str = Field(default="", description="签名与哈希用密钥；空则在数据目录生成并保存")
    secure_cookies: bool = Field(default=False, description="经 HTTPS 提供服务时设为 true")
    province_code: str = Field(default="", description="本省行政区划代码前两位；空则不限")
    lexicon_dir: Path = Field(default=PROJECT / "nlp" / "lexicon", description="产品、危害、违法行为词典所在目录")
    policy_dir: Path = Field(default=PROJECT / "scoring", description="评分、计划政策文件所在目录")
    name_policy: Path = Field(
        default=PROJECT / "nlp" / "enterprises" / "name_policy.yml", description="企业名称比对政策文件"
    )
    smtp_host: str = Field(default="", description="邮件服务器；空则不发邮件")
    smtp_port: int = Field(default=25, description="邮件服务器端口")
    smtp_sender: str = Field(default="zhian@localhost", description="发件人")
    outbound_allow: list[str] = Field(default_factory=list, description="允许访问的内网主机或网段")
    session_idle_minutes: int = Field(default=30, description="无操作退出时间（分钟）")
    session_hours: int = Field(default=8, description="登录最长有效时间（小时）")
    synthetic: bool = Field(default=False, description="演示数据：每页标明“虚构”")

    @property
    def store_url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.var / 'zhian.db'}"

    def cancel_mark(self, request_id: int) -> Path:
        """The file whose being there calls a running request off.

        A file, because while an import holds an SQLite store nobody else can write to it, not even a wish to stop.
        """
        return self.var / "cancelled" / str(request_id)
