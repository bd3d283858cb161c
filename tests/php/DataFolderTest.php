<?php

use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Lock;

/** The plugin's own files are nobody else's: what another user of the machine has put in their place is not touched. */
final class DataFolderTest extends JeenergieTestCase
{
    private $outside;

    protected function setUp(): void
    {
        parent::setUp();
        $this->outside = jeedom::getTmpFolder() . '/outside';
        file_put_contents($this->outside, 'precious');
        $this->remove(jeedom::getTmpFolder() . '/daemon');
    }

    protected function tearDown(): void
    {
        $this->remove(jeedom::getTmpFolder() . '/daemon');
    }

    private function remove(string $path): void
    {
        exec('rm -rf ' . escapeshellarg($path));
        clearstatcache();
    }

    public function testItStaysGoneOnceThePluginIsRemoved(): void
    {
        $root = jeedom::getTmpFolder() . '/removed';
        $this->remove($root);
        mkdir($root . '/core/src/Storage', 0700, true);
        copy(dirname(__DIR__, 2) . '/core/src/Storage/DataFolder.php', $root . '/core/src/Storage/DataFolder.php');
        $code = 'require $argv[1] . "/core/src/Storage/DataFolder.php"; rename($argv[1] . "/core", $argv[1] . "/gone");'
            . 'try { Jeenergie\\Storage\\DataFolder::path(); } catch (Exception $e) { echo $e->getMessage(); }';
        $command = [PHP_BINARY, '-r', str_replace('\\\\', '\\', $code), $root];
        $said = shell_exec(implode(' ', array_map('escapeshellarg', $command)));
        $this->assertSame('the plugin has been removed', $said);
        $this->assertDirectoryDoesNotExist($root . '/data');
        $this->remove($root);
    }

    private function refused(callable $action): string
    {
        try {
            $action();
        } catch (Exception $error) {
            return $error->getMessage();
        }
        $this->fail('it was taken');
    }

    public function testTheFolderIsForItsOwnerOnly(): void
    {
        $this->assertSame(0700, fileperms(DataFolder::path()) & 07777);
        $this->assertSame(0600, fstat(DataFolder::open('callback.json'))['mode'] & 07777);
    }

    public function testTheCoresModesAfterAnUpdateArePutRight(): void
    {
        chmod(DataFolder::path(), 0775);
        $this->assertSame(0700, fileperms(DataFolder::path()) & 07777);
    }

    public function testAFolderThatIsALinkIsRefused(): void
    {
        mkdir(jeedom::getTmpFolder() . '/elsewhere');
        symlink(jeedom::getTmpFolder() . '/elsewhere', jeedom::getTmpFolder() . '/daemon');
        $this->assertStringContainsString('ce n\'est pas un dossier', $this->refused([DataFolder::class, 'path']));
        $this->assertFalse(Daemon::isRunning());
        $this->remove(jeedom::getTmpFolder() . '/elsewhere');
    }

    public function testAFolderOfAnotherUserIsRefused(): void
    {
        if (posix_geteuid() !== 0) {
            $this->markTestSkipped('only root can give a folder away');
        }
        chown(DataFolder::path(), 'nobody');
        $this->assertStringContainsString('autre utilisateur', $this->refused([DataFolder::class, 'path']));
        $info = Daemon::info();
        $this->assertSame(['nok', 'nok'], [$info['state'], $info['launchable']]);
    }

    public function testOnAFullDiskTheUserReadsSoAndNothingIsStarted(): void
    {
        $folder = DataFolder::path();
        exec('mount -t tmpfs -o size=128k,mode=700 tmpfs ' . escapeshellarg($folder) . ' 2>&1', $said, $code);
        if ($code !== 0) {
            $this->markTestSkipped('no right to mount a small file system');
        }
        try {
            file_put_contents($folder . '/store.sqlite', 'precious');
            @file_put_contents($folder . '/filler', str_repeat('x', 131072));
            $info = Daemon::info();
            $this->assertSame('nok', $info['launchable']);
            $this->assertStringContainsString('Le disque est plein', $info['launchable_message']);
            $this->assertSame(['filler', 'store.sqlite'], array_values(array_diff(scandir($folder), ['.', '..'])));
            unlink($folder . '/filler');
            $this->assertStringNotContainsString('plein', Daemon::info()['launchable_message'] ?? '');
            $this->assertSame('precious', file_get_contents($folder . '/store.sqlite'));
        } finally {
            exec('umount -l ' . escapeshellarg($folder));
        }
    }

    public function testALinkInTheFolderLeavesItsTargetAlone(): void
    {
        foreach (['callback.json', 'configure.lock'] as $name) {
            symlink($this->outside, DataFolder::file($name));
            $this->refused(fn() => DataFolder::open($name));
            $this->refused(fn() => DataFolder::lock($name, 0.1));
        }
        $this->assertSame('precious', file_get_contents($this->outside));
    }

    public function testAPipeIsNotWaitedFor(): void
    {
        posix_mkfifo(DataFolder::file('callback.json'), 0600);
        $begun = microtime(true);
        $this->refused(fn() => DataFolder::open('callback.json'));
        $this->assertLessThan(20, microtime(true) - $begun);
    }

    public function testALockThatIsNeverGivenBackEndsTheWait(): void
    {
        $held = DataFolder::lock('configure.lock', 1);
        $this->assertIsResource($held);
        $begun = microtime(true);
        $this->assertNull(DataFolder::lock('configure.lock', 0.2));
        $this->assertLessThan(20, microtime(true) - $begun);
        fclose($held);
        $this->assertIsResource(DataFolder::lock('configure.lock', 1));
    }

    public function testALockEndsWithItsRequestWhateverWasStartedMeanwhile(): void
    {
        $held = DataFolder::lock('callback.json', 1);
        exec('sleep 3 > /dev/null 2>&1 &');
        fclose($held);
        $this->assertIsResource(DataFolder::lock('callback.json', 0.0));
    }

    public function testAConfigurationWaitsForTheOneBeforeOnlySoLong(): void
    {
        $held = DataFolder::lock('configure.lock', 1);
        $this->setStatic(Lock::class, 'maxWaitS', 0.2);
        $this->assertStringContainsString('est occupé', $this->refused([DesiredState::class, 'send']));
        fclose($held);
    }
}
