<?php

use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Reach;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Daemon\Socket;
use Jeenergie\Pages\Health;
use Jeenergie\Storage\DataFolder;

/** Values that do not reach Jeedom: where else the daemon may try, and what the user is told. */
final class ReachTest extends JeenergieTestCase
{
    private const ERROR = 'http://192.0.2.7:81/core/api/jeeApi.php est hors d\'atteinte (connexion refusée)';
    private const OWN = 'http://127.0.0.1:80/core/api/jeeApi.php';

    protected function tearDown(): void
    {
        parent::tearDown();
        @unlink(DataFolder::file('asked'));
        array_map('unlink', glob(jeedom::getTmpFolder() . '/*.conf'));
    }

    /** A running daemon that tells this of its callback. */
    private function daemonTells(array $callback, array $more = []): void
    {
        $callback += ['addresses' => Reach::addresses(), 'inUse' => '', 'failingFor' => 0, 'error' => null, 'detour' => null];
        $this->startDaemon(json_encode(['ok' => true, 'result' => ['version' => '1', 'callback' => $callback] + $more]), true);
    }

    private function restartDaemon(array $callback): void
    {
        parent::tearDown();
        $this->daemonTells($callback);
    }

    private function asked(): array
    {
        return explode("\n", trim((string) @file_get_contents(DataFolder::file('asked'))));
    }

    private function told(): string
    {
        return Memory::$messages['jeenergie::reach'] ?? '';
    }

    public function testTheConfiguredAddressComesFirst(): void
    {
        Memory::$config['access'] = 'http://192.0.2.7:81/jeedom';
        Memory::$config['core::internalComplement'] = '/jeedom/';
        $this->assertSame(
            ['http://192.0.2.7:81/jeedom/core/api/jeeApi.php', 'http://127.0.0.1:80/jeedom/core/api/jeeApi.php', self::OWN],
            Reach::addresses()
        );
    }

    public function testAnHttpsPortIsAskedByHttps(): void
    {
        Memory::$config['access'] = 'http://127.0.0.1:8443';
        Memory::$config['core::internalProtocol'] = 'https://';
        $this->assertSame('https://127.0.0.1:8443/core/api/jeeApi.php', Reach::addresses()[0]);
    }

    public function testThePortsOfThisMachinesWebServerAreTriedToo(): void
    {
        $folder = jeedom::getTmpFolder();
        file_put_contents($folder . '/ports.conf', "# Listen 1\nListen 9080\n<IfModule ssl_module>\n\tListen 443\n"
            . "  Listen 127.0.0.1:9443 https\n</IfModule>\n");
        file_put_contents($folder . '/nginx.conf', "server {\n listen 8090 default_server;\n listen [::]:8090;\n"
            . " listen 0.0.0.0:8444 default_server ssl http2;\n}\n");
        $patterns = (new ReflectionClassConstant(Reach::class, 'SERVER_FILES'))->getValue();
        $this->setStatic(Reach::class, 'serverFiles', [
            $folder . '/ports.conf' => $patterns['/etc/apache2/ports.conf'],
            $folder . '/ngin*.conf' => $patterns['/etc/nginx/conf.d/*.conf'],
        ]);
        Memory::$config['access'] = 'http://192.0.2.7:81';
        $ports = array_map(fn(string $url): string => strstr($url, '/core', true), Reach::addresses());
        $this->assertSame([
            'http://192.0.2.7:81', 'http://127.0.0.1:80', 'http://127.0.0.1:9080', 'https://127.0.0.1:443',
            'https://127.0.0.1:9443', 'http://127.0.0.1:8090', 'https://127.0.0.1:8444',
        ], $ports);
    }

    public function testValuesThatArriveAreNotTalkedAbout(): void
    {
        $this->daemonTells([]);
        Reach::watch();
        $this->assertSame('', $this->told());
        $this->assertSame('', Reach::current());
        $this->assertSame('running', Health::readiness()['state']);
        $this->assertNotContains('configure', $this->asked());
    }

    public function testAShortTroubleIsNotTold(): void
    {
        $this->daemonTells(['failingFor' => 59, 'error' => self::ERROR]);
        Reach::watch();
        $this->assertSame('', $this->told());
    }

    public function testAfterAMinuteTheUserIsToldWhereAndWhyOnceAndNoMoreOnceItIsOver(): void
    {
        $this->daemonTells(['failingFor' => 61, 'error' => self::ERROR]);
        Reach::watch();
        $this->assertStringContainsString(self::ERROR, $this->told());
        $this->assertStringContainsString('Réseaux', $this->told());
        Memory::$messages['jeenergie::reach'] .= ' ' . self::OWN; // the address that the daemon has
        $first = $this->told();
        Reach::watch();
        $this->assertSame($first, $this->told());
        $readiness = Health::readiness();
        $this->assertSame('unheard', $readiness['state']);
        $this->assertStringContainsString(self::ERROR, $readiness['text']);
        $this->restartDaemon([]);
        Reach::watch();
        $this->assertSame('', $this->told());
    }

    public function testAnAddressThatWasCorrectedIsSentToTheRunningDaemon(): void
    {
        $this->daemonTells(['addresses' => ['http://192.0.2.7:81/core/api/jeeApi.php'], 'failingFor' => 5, 'error' => 'x']);
        Reach::watch();
        $this->assertContains('configure', $this->asked());
    }

    public function testADaemonThatGotNoConnectionsGetsThemWithinAMinute(): void
    {
        $this->daemonTells([], ['connections' => new stdClass()]);
        Reach::watch();
        $this->assertNotContains('configure', $this->asked(), 'there are none');
        $this->connection();
        Reach::watch();
        $this->assertContains('configure', $this->asked());
    }

    public function testADaemonThatNobodyHearsIsConfiguredAllTheSame(): void
    {
        $this->daemonTells(['failingFor' => 61, 'error' => self::ERROR]);
        Reach::watch();
        $this->assertContains('configure', $this->asked());
    }

    public function testTheHealthPageQuotesTheDaemonsOwnAddress(): void
    {
        Memory::$config['access'] = 'http://192.0.2.8:82';
        $this->daemonTells(['failingFor' => 5, 'error' => self::ERROR]);
        $row = Health::rows()[1];
        $this->assertFalse($row['state']);
        $this->assertStringContainsString('192.0.2.7:81', html_entity_decode($row['result'], ENT_QUOTES));
        $this->assertStringNotContainsString('192.0.2.8', $row['advice']);
    }

    public function testADetourIsToldOnTheHealthPageOnly(): void
    {
        $this->daemonTells(['inUse' => self::OWN, 'detour' => self::ERROR]);
        Reach::watch();
        $this->assertSame('', $this->told());
        $row = Health::rows()[1];
        $this->assertTrue($row['state']);
        $this->assertStringContainsString(self::OWN, $row['advice']);
    }

    public function testADaemonThatHasAFormerKeyIsRestarted(): void
    {
        $refused = ['ok' => false, 'error' => ['code' => 'unauthorized', 'message' => 'wrong api key']];
        $this->startDaemon(json_encode($refused), true);
        try {
            Socket::request('status');
            $this->fail('it was answered');
        } catch (Refusal $error) {
            $this->assertStringContainsString('une autre clé API', $error->getMessage());
        }
        Daemon::everyMinute(); // there are no dependencies here to start another one with
        $this->assertFalse(Daemon::isRunning());
    }
}
